using HarborSimulator.Schema;
using HarborSimulator.Storage;
using Npgsql;

namespace HarborSimulator.Core;

/// <summary>Harbor's EXECUTION_SWEEP: first the dangling fixer, then the deletion of what lies beyond each vendor's retention.</summary>
internal sealed class Sweeper(SqlBatch sql, Timeline timeline, HarborCore core, HarborRelease release, TimeSpan maxDangling)
{
    /// <summary>Only a Running task protects an execution: over Pending ones it becomes Success.</summary>
    private const string FixDanglingSql = """
        update execution e set status = case
            when exists (select 1 from task t where t.execution_id = e.id and t.status = 'Error') then 'Error'
            when exists (select 1 from task t where t.execution_id = e.id and t.status = 'Stopped') then 'Stopped'
            else 'Success' end
        where e.status = 'Running' and e.start_time < $1
          and not exists (select 1 from task t where t.execution_id = e.id and t.status = 'Running')
        """;

    private const string CandidatesSql = """
        select id from (
            select id, status, start_time, nth_value(start_time, $2::int) over (
                partition by vendor_id order by start_time desc rows between unbounded preceding and unbounded following) as oldest_kept
            from execution where vendor_type = $1::text) ranked
        where status in ('Error', 'Success', 'Stopped') and start_time < oldest_kept
        order by id
        """;

    public async Task<int> FixDanglingAsync(CancellationToken cancellationToken) =>
        await sql.ExecuteAsync(FixDanglingSql, cancellationToken, timeline.Micro - maxDangling);

    public async Task<SweepResult> SweepAsync(CancellationToken cancellationToken)
    {
        var finalised = await FixDanglingAsync(cancellationToken);
        var tasks = 0;
        var executions = 0;
        List<string> failed = [];
        var vendors = await sql.QueryAsync("select distinct vendor_type from execution order by 1", row => row.GetString(0), cancellationToken);
        foreach (var vendor in vendors)
        {
            if (release.RetentionOf(vendor) is not { } kept) continue;
            var candidates = (await sql.QueryAsync(CandidatesSql, row => row.GetInt32(0), cancellationToken, vendor, kept)).ToArray();
            if (candidates.Length == 0) continue;
            var gone = await sql.QueryAsync(
                "delete from task where execution_id = any($1) and status_code = 3 returning id", row => row.GetInt32(0), cancellationToken, candidates);
            foreach (var task in gone) core.Forget(task);
            tasks += gone.Count;
            try
            {
                executions += await sql.ExecuteAsync(
                    release.SweepHitsForeignKey
                        ? "delete from execution where id = any($1)"
                        : "delete from execution e where id = any($1) and not exists (select 1 from task t where t.execution_id = e.id)",
                    cancellationToken, candidates);
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.ForeignKeyViolation)
            {
                // The first failing batch ends this vendor; its deleted tasks stay deleted, and other vendors go on.
                failed.Add(vendor);
            }
        }
        return new SweepResult(finalised, tasks, executions, failed);
    }
}

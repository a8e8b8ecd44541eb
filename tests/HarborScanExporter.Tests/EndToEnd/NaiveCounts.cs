using System.Globalization;
using HarborScanExporter.Tests.Simulator;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// What /metrics must say of rows that the simulator wrote, counted in plain SQL, one statement for each family. Series that are 0 are
/// left out. The rows are Harbor's own, so nothing here guards against values that Harbor does not write.
/// </summary>
/// <param name="harbor">The database.</param>
/// <param name="now">The moment that ages are counted from, in seconds since 1970.</param>
/// <param name="connection">Where the statements run; each on a connection of its own when not given.</param>
internal sealed class NaiveCounts(TestHarbor harbor, double now, NpgsqlConnection? connection = null)
{
    private const string Scans = "('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')";
    private const string Open = "('Pending', 'Scheduled', 'Running')";
    private const string Final = "('Success', 'Error', 'Stopped')";
    private const string Settle = "300";
    private const string EnumerationSettle = "900";

    private string Now => now.ToString("F6", CultureInfo.InvariantCulture);

    public Task<string[]> TasksAsync() => CountAsync("task");

    public Task<string[]> ExecutionsAsync() => CountAsync("execution");

    public Task<string[]> OlderThanAsync() => SeriesAsync($$"""
        select format('{age_seconds="%s",status="%s",type="%s"} %s', threshold, status, vendor_type, count(*))
        from task, unnest(array[60, 300, 900, 3600, 10800, 21600, 86400, 604800]) threshold
        where vendor_type in {{Scans}} and status in {{Open}}
          and {{Now}} - case when status = 'Running' then extract(epoch from update_time)
                             else greatest(extract(epoch from creation_time), status_revision) end > threshold
        group by threshold, status, vendor_type
        """);

    /// <summary>The age of the oldest open task of each type and status, in whole milliseconds.</summary>
    public Task<string[]> OldestTasksAsync() => SeriesAsync($$"""
        select format('{status="%s",type="%s"} %s', status, vendor_type, round(1000 * max({{Now}} -
                   case when status = 'Running' then extract(epoch from update_time) else greatest(extract(epoch from creation_time), status_revision) end)))
        from task where vendor_type in {{Scans}} and status in {{Open}} group by status, vendor_type
        """);

    /// <summary>The age of the oldest open execution of each type, in whole milliseconds.</summary>
    public Task<string[]> OldestExecutionsAsync() => SeriesAsync($$"""
        select format('{status="Running",type="%s"} %s', vendor_type, round(1000 * max({{Now}} - extract(epoch from start_time))))
        from execution where vendor_type in {{Scans}} and status = 'Running' group by vendor_type
        """);

    /// <summary>What Harbor's next sweep would remove, by its own counts of what it keeps.</summary>
    public Task<string[]> SweepableAsync() => SeriesAsync($$"""
        select format('{type="%s"} %s', vendor_type, count(*)) from execution e
        where vendor_type in {{Scans}} and status in {{Final}}
          and (select count(distinct start_time) from execution k where k.vendor_type = e.vendor_type and k.vendor_id = e.vendor_id and k.start_time > e.start_time) >= {{Kept}}
        group by vendor_type
        """);

    public Task<string[]> OpenAsync() => SeriesAsync($"""
        select format('%s %s', vendor_type, count(*)) from task where vendor_type in {Scans} and status in {Open} group by vendor_type
        """);

    public Task<string[]> ScanAllTasksAsync() => SeriesAsync($$"""
        select format('{status="%s"} %s', status, count(*)) from task
        where execution_id = (select id from execution where vendor_type = 'SCAN_ALL' order by start_time desc, id desc limit 1)
        group by status
        """);

    public Task<string[]> LeakedRobotsAsync() => SeriesAsync($$"""
        select format(' %s', count(*)) from robot r
        where not visible and description = 'for scan' and extract(epoch from creation_time) < {{Now}} - 86400
          and not exists (select 1 from task where vendor_type in {{Scans}} and status in {{Open}} and (extra_attrs ->> 'robot_id')::bigint = r.id)
        having count(*) > 0
        """);

    /// <summary>All kinds of the default set and orphan_report.</summary>
    public Task<string[]> InconsistenciesAsync() => SeriesAsync($$"""
        with seen as (
            select e.id, e.vendor_type, e.status,
                   count(t.id) as tasks,
                   count(t.id) filter (where t.status in {{Open}}) as open,
                   greatest(extract(epoch from e.start_time), extract(epoch from e.update_time), max(extract(epoch from t.creation_time)),
                            max(extract(epoch from t.update_time)), max(extract(epoch from t.end_time)), max(t.status_revision)) as newest,
                   e.vendor_type = 'SCAN_ALL' and e.extra_attrs ->> 'summary' is null as enumerating
            from execution e left join task t on t.execution_id = e.id
            where e.vendor_type in {{Scans}}
            group by e.id
        ), found (kind, type) as (
            select 'execution_not_refreshed', vendor_type from seen
            where status = 'Running' and tasks > 0 and open = 0 and {{Now}} - newest > case when enumerating then {{EnumerationSettle}} else {{Settle}} end
            union all
            select 'execution_without_tasks', vendor_type from seen
            where status = 'Running' and tasks = 0 and {{Now}} - newest > case when enumerating then {{EnumerationSettle}} else {{Settle}} end
            union all
            select 'execution_final_with_open_task', vendor_type from seen where status in {{Final}} and open > 0 and {{Now}} - newest > {{Settle}}
            union all
            select 'final_status_wrong_code', vendor_type from task where vendor_type in {{Scans}} and status in {{Final}} and status_code < 3
            union all
            select 'sweep_blocked', vendor_type from execution e
            where {{CanBlock}} and vendor_type in {{Scans}} and status in {{Final}}
              and exists (select 1 from task t where t.execution_id = e.id and t.status_code < 3)
              and (select count(*) from execution k where k.vendor_type = e.vendor_type and k.vendor_id = e.vendor_id and k.start_time > e.start_time) >= {{Kept}}
            union all
            select 'orphan_report', 'IMAGE_SCAN' from scan_report r
            where not exists (select 1 from task t where t.extra_attrs ->> 'report_uuids' like '%' || r.uuid || '%')
            {{Sboms}}
        )
        select format('{kind="%s",type="%s"} %s', kind, type, count(*)) from found group by kind, type
        """);

    private string CanBlock => harbor.Release switch
    {
        var release when release.IsWithin("2.8.0", "2.10.3") => "true",
        { Name: "2.11.0" } => "coalesce((select status = 'Error' from execution where vendor_type = 'EXECUTION_SWEEP' order by start_time desc, id desc limit 1), false)",
        _ => "false",
    };

    /// <summary>As many newer executions of the same vendor push one out; 2.8 sweeps no single scans.</summary>
    private string Kept => harbor.Release.IsAtLeast("2.9.0") ? "1" : "case e.vendor_type when 'SCAN_ALL' then 5 else 1000000 end";

    private string Sboms => harbor.Release.IsAtLeast("2.11.0")
        ? """
          union all
          select 'orphan_report', 'SBOM' from sbom_report r
          where not exists (select 1 from task t where t.extra_attrs ->> 'report_uuids' like '%' || r.uuid || '%')
          """
        : "";

    private Task<string[]> CountAsync(string table) => SeriesAsync($$"""
        select format('{status="%s",type="%s"} %s', case when status in {{Open}} or status in {{Final}} then status else 'other' end, vendor_type, count(*))
        from {{table}} where vendor_type in {{Scans}} group by case when status in {{Open}} or status in {{Final}} then status else 'other' end, vendor_type
        """);

    private async Task<string[]> SeriesAsync(string sql) =>
        [.. (await (connection is null ? Rows.OfAsync(harbor.Database.ConnectionString, sql) : Rows.OfAsync(connection, sql))).Order(StringComparer.Ordinal)];
}

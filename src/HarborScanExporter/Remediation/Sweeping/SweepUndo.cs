using Dapper;
using Npgsql;

namespace HarborScanExporter.Remediation.Sweeping;

/// <summary>Puts a removed execution and its tasks back, with their ids and every column as it was.</summary>
internal static class SweepUndo
{
    private const string ExecutionSql = """
        insert into execution (id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, end_time, revision, update_time)
        select r.id, r.vendor_type, r.vendor_id, r.status, r.status_message, r.trigger, r.extra_attrs::json, r.start_time, r.end_time, r.revision, r.update_time
        from json_to_record(@Before::json -> 'execution') as r (
            id bigint, vendor_type text, vendor_id bigint, status text, status_message text, trigger text, extra_attrs text, start_time timestamp,
            end_time timestamp, revision bigint, update_time timestamp)
        returning id::bigint
        """;

    private const string TasksSql = """
        insert into task (id, execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time,
                          update_time, end_time, vendor_type)
        select r.id, r.execution_id, r.job_id, r.status, r.status_code, r.status_revision, r.status_message, r.run_count, r.extra_attrs::json, r.creation_time,
               r.start_time, r.update_time, r.end_time, r.vendor_type
        from json_to_recordset(@Before::json -> 'tasks') as r (
            id bigint, execution_id bigint, job_id text, status text, status_code bigint, status_revision bigint, status_message text, run_count bigint,
            extra_attrs text, creation_time timestamp, start_time timestamp, update_time timestamp, end_time timestamp, vendor_type text)
        returning id::bigint
        """;

    /// <summary>Puts the rows back; false, with nothing written, when a row with one of their ids is there.</summary>
    /// <param name="transaction">The transaction that writes the audit's line too.</param>
    /// <param name="before">The <c>before</c> of the sweep's line.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="PostgresException">The database refuses, as without the grant of deploy/sql/04-remediation-sweep.sql.</exception>
    public static async Task<bool> RestoreAsync(RepairTransaction transaction, string before, CancellationToken cancellationToken)
    {
        var parameters = new Parameters { Before = before, CancellationToken = cancellationToken };
        try
        {
            return await transaction.PartAsync(async () =>
            {
                await transaction.Connection.QueryAsync<long>(ExecutionSql, parameters, transaction.Transaction);
                await transaction.Connection.QueryAsync<long>(TasksSql, parameters, transaction.Transaction);
                return true;
            }, cancellationToken);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return false;
        }
    }

    internal sealed record Parameters
    {
        public required string Before { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}

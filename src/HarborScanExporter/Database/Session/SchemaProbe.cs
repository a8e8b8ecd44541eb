using Dapper;
using HarborScanExporter.Failures;
using HarborScanExporter.Harbor;
using Npgsql;

namespace HarborScanExporter.Database.Session;

/// <summary>What stands at the other end: Harbor's schema version, the server, its clock, and which later tables can be read.</summary>
internal sealed record DatabaseFacts
{
    public long SchemaVersion { get; init; }

    /// <summary>A migration failed half way: nothing in the tables can be trusted.</summary>
    public bool Dirty { get; init; }

    public string ServerVersion { get; init; } = "";

    /// <summary>Whether the server is a standby.</summary>
    public bool Standby { get; init; }

    /// <summary>The database's clock at the snapshot in seconds since 1970; on a standby the time of the last replayed transaction.</summary>
    public double Now { get; init; }

    public bool HasSbomReport { get; init; }

    public bool CanReadSbomReport { get; init; }

    public bool HasQueueStatus { get; init; }

    public bool CanReadQueueStatus { get; init; }

    /// <summary>Whether it can be seen which projects refuse pulls; asked for findings alone.</summary>
    public bool CanReadProjectMetadata { get; init; }

    public bool CanReadMode { get; init; }
}

/// <summary>The database is none that this program can read; the message names the mend.</summary>
internal sealed class UnreadableSchemaException(string message) : NpgsqlException(message), IKnownFailure
{
    public string Reason => FailureReason.Schema;
}

/// <summary>The first query of a snapshot.</summary>
internal static class SchemaProbe
{
    // The catalog is asked by oid, never by name: a schema without USAGE would make to_regclass fail instead of answering NULL.
    private const string Sql = """
        with optional as (
            select (select c.oid from pg_class c where c.oid = to_regclass('sbom_report')) as sbom_report,
                   (select c.oid from pg_class c where c.oid = to_regclass('project_metadata')) as project_metadata,
                   (select c.oid from pg_class c where c.oid = to_regclass('job_queue_status')) as job_queue_status,
                   (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
                    where n.nspname = 'harbor_scan' and c.relname = 'read_only' and has_schema_privilege(n.oid, 'usage')) as read_only
        )
        select m.version::bigint as SchemaVersion,
               m.dirty as Dirty,
               split_part(current_setting('server_version'), ' ', 1) as ServerVersion,
               pg_is_in_recovery() as Standby,
               extract(epoch from coalesce(case when pg_is_in_recovery() then pg_last_xact_replay_timestamp() end, clock_timestamp()))::float8 as Now,
               sbom_report is not null as HasSbomReport,
               coalesce(has_any_column_privilege(sbom_report, 'select'), false) as CanReadSbomReport,
               job_queue_status is not null as HasQueueStatus,
               coalesce(has_any_column_privilege(job_queue_status, 'select'), false) as CanReadQueueStatus,
               coalesce(has_any_column_privilege(project_metadata, 'select'), false) as CanReadProjectMetadata,
               coalesce(has_table_privilege(read_only, 'select'), false) as CanReadMode
        from schema_migrations m, optional
        where @Everything
        """;

    /// <summary>Reads the facts.</summary>
    /// <exception cref="UnreadableSchemaException">The schema is no Harbor's, is half migrated, or is older than scans in execution and task.</exception>
    public static async Task<DatabaseFacts> ReadAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        var facts = await snapshot.Connection.QueryFirstOrDefaultAsync<DatabaseFacts>(
            Sql, new Parameters { Everything = true, CancellationToken = cancellationToken }, snapshot.Transaction);
        return facts switch
        {
            null => throw new UnreadableSchemaException("schema_migrations is empty: Harbor has not finished its first start on this database."),
            { Dirty: true } => throw new UnreadableSchemaException(
                $"schema_migrations says that the migration to {facts.SchemaVersion} failed half way (dirty). Finish or restore Harbor's upgrade."),
            { SchemaVersion: < HarborSchema.Oldest } => throw new UnreadableSchemaException(
                $"Harbor's schema version is {facts.SchemaVersion}; scans can be read from {HarborSchema.Oldest} (Harbor 2.2.0) on. Upgrade Harbor."),
            _ => facts,
        };
    }

    internal sealed record Parameters
    {
        public required bool Everything { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}

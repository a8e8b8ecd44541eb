using HarborScanExporter.Tests.Support;
using HarborSimulator.Schema;
using Npgsql;

namespace HarborScanExporter.Tests.Simulator;

public sealed class HarborSchemaTests
{
    private const string TypesSql = """
        select c.relname || '.' || a.attname as Name, format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' not null' else '' end as Type
        from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
        """;

    /// <summary>What every release from 2.2.0 on has, with one type for good.</summary>
    private static readonly Dictionary<string, string> Common = new(StringComparer.Ordinal)
    {
        ["schema_migrations.version"] = "bigint not null",
        ["schema_migrations.dirty"] = "boolean not null",
        ["execution.id"] = "integer not null",
        ["execution.vendor_type"] = "character varying(64) not null",
        ["execution.vendor_id"] = "integer",
        ["execution.status"] = "character varying(16)",
        ["execution.status_message"] = "text",
        ["execution.trigger"] = "character varying(16) not null",
        ["execution.extra_attrs"] = "json",
        ["execution.start_time"] = "timestamp without time zone",
        ["execution.end_time"] = "timestamp without time zone",
        ["execution.revision"] = "integer",
        ["execution.update_time"] = "timestamp without time zone",
        ["task.id"] = "integer not null",
        ["task.execution_id"] = "integer not null",
        ["task.job_id"] = "character varying(64)",
        ["task.status"] = "character varying(16) not null",
        ["task.status_code"] = "integer not null",
        ["task.status_message"] = "text",
        ["task.run_count"] = "integer",
        ["task.extra_attrs"] = "json",
        ["task.creation_time"] = "timestamp without time zone",
        ["task.start_time"] = "timestamp without time zone",
        ["task.update_time"] = "timestamp without time zone",
        ["task.end_time"] = "timestamp without time zone",
        ["task.vendor_type"] = "character varying(64) not null",
        ["schedule.vendor_type"] = "character varying(64)",
        ["schedule.vendor_id"] = "integer",
        ["schedule.callback_func_name"] = "character varying(128)",
        ["schedule.extra_attrs"] = "json",
        ["scan_report.uuid"] = "character varying(64) not null",
        ["scan_report.digest"] = "character varying(256) not null",
        ["scan_report.registration_uuid"] = "character varying(64) not null",
        ["scan_report.mime_type"] = "character varying(256) not null",
        ["scan_report.report"] = "json",
        ["scanner_registration.uuid"] = "character varying(64) not null",
        ["scanner_registration.access_cred"] = "character varying(512)",
        ["artifact.repository_name"] = "character varying(255) not null",
        ["artifact.extra_attrs"] = "text",
        ["artifact.annotations"] = "jsonb",
        ["artifact.icon"] = "character varying(255)",
        ["project.owner_id"] = "integer not null",
        ["project.registry_id"] = "integer",
        ["robot.expiresat"] = "bigint",
        ["robot.secret"] = "character varying(2048)",
        ["robot.duration"] = "integer",
        ["properties.k"] = "character varying(64) not null",
        ["properties.v"] = "text not null",
    };

    private static readonly string[] CommonConstraints =
    [
        "execution_pkey", "task_pkey", "task_execution_id_fkey", "schedule_pkey", "unique_schedule", "scan_report_uuid_key",
        "scan_report_digest_registration_uuid_mime_type_key", "fk_report_uuid", "fk_registration_uuid", "unique_artifact",
        "project_owner_id_fkey", "project_name_key", "unique_robot", "unique_role_permission", "unique_rbac_policy",
    ];

    public static TheoryData<int> SchemaVersions => [.. HarborRelease.Supported.Select(release => release.SchemaVersion)];

    [Theory]
    [MemberData(nameof(SchemaVersions))]
    public async Task Every_schema_version_has_the_columns_types_and_indexes_of_its_release(int version)
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await HarborSchema.CreateAsync(connection, HarborRelease.OfSchema(version), TestContext.Current.CancellationToken);

        var types = (await Rows.OfAsync(connection, TypesSql)).Select(row => row.Split('|')).ToDictionary(c => c[0], c => c[1], StringComparer.Ordinal);
        foreach (var (column, type) in Common)
            Assert.Equal($"{column} {type}", $"{column} {types.GetValueOrDefault(column, "absent")}");

        string Wide(int since) => version >= since ? "bigint" : "integer";
        string? Since(int since, string type) => version >= since ? type : null;
        Dictionary<string, string?> byVersion = new(StringComparer.Ordinal)
        {
            ["task.status_revision"] = Wide(181),
            ["schedule.revision"] = Since(52, Wide(181)),
            ["scan_report.critical_cnt"] = Since(120, "bigint"),
            ["scan_report.fixable_cnt"] = Since(120, "bigint"),
            ["sbom_report.uuid"] = Since(140, "character varying(64) not null"),
            ["sbom_report.report"] = Since(140, "json"),
            ["artifact.artifact_type"] = Since(140, "character varying(255) not null"),
            ["robot.id"] = $"{Wide(190)} not null",
            ["robot.creator_ref"] = Since(150, Wide(190)),
            ["robot.creator_type"] = Since(150, "character varying(255)"),
            ["role_permission.id"] = $"{Wide(170)} not null",
            ["role_permission.role_id"] = $"{Wide(190)} not null",
            ["role_permission.permission_policy_id"] = $"{Wide(170)} not null",
            ["permission_policy.id"] = $"{Wide(170)} not null",
            ["job_queue_status.paused"] = Since(100, "boolean not null"),
            ["job_queue_status.update_time"] = Since(100, "timestamp with time zone not null"),
        };
        foreach (var (column, type) in byVersion)
            Assert.Equal($"{column} {type}", $"{column} {types.GetValueOrDefault(column)}");

        var indexes = (await Rows.OfAsync(connection, "select indexname from pg_indexes where schemaname = 'public'")).ToHashSet(StringComparer.Ordinal);
        Dictionary<string, int> indexSince = new(StringComparer.Ordinal)
        {
            ["task_execution_id_idx"] = 51,
            ["idx_artifact_push_time"] = 53,
            ["idx_task_job_id"] = 80,
            ["idx_artifact_repository_name"] = 81,
            ["idx_execution_vendor_type_vendor_id"] = 90,
            ["idx_execution_start_time"] = 90,
            ["idx_artifact_digest_project_id"] = 90,
            ["idx_task_extra_attrs_report_uuids"] = 111,
            ["sbom_report_artifact_id_registration_uuid_mime_type_media_t_key"] = 140,
        };
        foreach (var (index, since) in indexSince)
            Assert.Equal($"{index} {version >= since}", $"{index} {indexes.Contains(index)}");

        var constraints = (await Rows.OfAsync(connection, "select conname from pg_constraint")).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(CommonConstraints, CommonConstraints.Where(constraints.Contains));
        Assert.Equal([$"{version}|f"], await Rows.OfAsync(connection, "select version, dirty from schema_migrations"));
        Assert.Equal(version, await HarborSchema.VersionOfAsync(connection, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_database_without_Harbor_has_no_schema_version()
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        Assert.Null(await HarborSchema.VersionOfAsync(connection, TestContext.Current.CancellationToken));
        Assert.Empty(await Rows.OfAsync(connection, TypesSql));
    }

    [Fact]
    public async Task The_report_uuid_index_serves_the_lookup_that_Harbor_makes()
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await HarborSchema.CreateAsync(connection, HarborRelease.Parse("2.11.0"), TestContext.Current.CancellationToken);
        await Rows.OfAsync(connection, "set enable_seqscan = off");
        var plan = await Rows.OfAsync(connection, "explain select id from task where extra_attrs::jsonb -> 'report_uuids' @> '\"u1\"'");
        Assert.Contains(plan, line => line.Contains("idx_task_extra_attrs_report_uuids", StringComparison.Ordinal));
    }

    [Fact]
    public void Releases_know_their_schema_version()
    {
        Assert.Equal(26, HarborRelease.Supported.Count);
        Assert.Equal((50, "2.2.0"), (HarborRelease.Supported[0].SchemaVersion, HarborRelease.Supported[0].Name));
        Assert.Equal((190, "2.16.0"), (HarborRelease.Supported[^1].SchemaVersion, HarborRelease.Supported[^1].Name));
        Assert.Equal(140, HarborRelease.Parse("v2.11.2").SchemaVersion);
        Assert.Equal("2.8.1", HarborRelease.OfSchema(111).Name);
        Assert.True(HarborRelease.Parse("2.10.3").IsAtLeast("2.9.5"));
        Assert.False(HarborRelease.Parse("2.9.5").IsAtLeast("2.10.0"));
        Assert.Throws<ArgumentException>(() => HarborRelease.Parse("2.1.6"));
    }
}

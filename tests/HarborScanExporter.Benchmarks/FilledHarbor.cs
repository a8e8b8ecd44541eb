using System.Globalization;
using HarborScanExporter.Database;
using HarborScanExporter.Settings;
using HarborSimulator.Schema;
using Npgsql;

namespace HarborScanExporter.Benchmarks;

/// <summary>
/// A Harbor 2.11.0 with as many executions as tasks, in the shape that Harbor writes: nineteen of twenty executions are scans with one
/// task each, the others replications without one, and the newest scan-all has the rest of the tasks. A hundred open tasks have been
/// left behind here and there in the last 90 days; all other open ones belong to the newest scan-all.
/// </summary>
internal sealed class FilledHarbor
{
    private const string Password = "benchmark";
    private const string Role = "harbor_scan_exporter";

    /// <summary>Open tasks of single scans that nobody ended.</summary>
    private const int LeftBehind = 100;

    private FilledHarbor(PrivatePostgres server, string name) => (Server, Name) = (server, name);

    public PrivatePostgres Server { get; }

    public string Name { get; }

    /// <summary>Makes a database without a row, or with this many.</summary>
    /// <param name="server">Where.</param>
    /// <param name="name">The database.</param>
    /// <param name="tasks">Executions, and tasks; 0 for none.</param>
    /// <param name="open">Tasks that are not over.</param>
    /// <param name="scanAllAge">How long ago the newest scan-all began.</param>
    public static async Task<FilledHarbor> CreateAsync(PrivatePostgres server, string name, int tasks = 0, int open = 0, TimeSpan scanAllAge = default)
    {
        var harbor = new FilledHarbor(server, name);
        await using (var administrator = new NpgsqlConnection(server.ConnectionString("postgres")))
        {
            await administrator.OpenAsync();
            await using var create = new NpgsqlCommand($"create database {name} template template0", administrator);
            await create.ExecuteNonQueryAsync();
        }
        await using var connection = await harbor.OpenAsync();
        await HarborSimulator.Schema.HarborSchema.CreateAsync(connection, HarborRelease.Parse("2.11.0"));
        if (tasks > 0) await RunAsync(connection, Rows($"{tasks}", $"{open}", $"interval '{(long)scanAllAge.TotalSeconds} seconds'"));
        await RunAsync(connection, RoleScript.Filled("01-scraping-role.sql", new Dictionary<string, string> { ["role"] = Role, ["database"] = name, ["password"] = Password }));
        await RunAsync(connection, "vacuum (analyze)");
        await RunAsync(connection, "checkpoint");
        return harbor;
    }

    /// <summary>An open connection as the owner.</summary>
    public async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(Server.ConnectionString(Name));
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>The first column of the first row, as the owner.</summary>
    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync() ?? throw new InvalidOperationException($"No row: {sql}"));
    }

    /// <summary>The settings of an exporter that reads this database as the least-privilege role.</summary>
    public Dictionary<string, string> Environment(int port) => new(StringComparer.Ordinal)
    {
        [Setting.Names.DatabaseHost] = "127.0.0.1",
        [Setting.Names.DatabasePort] = Server.Port.ToString(CultureInfo.InvariantCulture),
        [Setting.Names.DatabaseUsername] = Role,
        [Setting.Names.DatabasePassword] = Password,
        [Setting.Names.DatabaseName] = Name,
        [Setting.Names.Listen] = $"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}",
    };

    // Rows are spread over 90 days. Times of hooks are whole seconds, the time of creation is not.
    private static string Rows(string tasks, string open, string age) => $$$"""
        set session_replication_role = replica;
        set timezone = 'utc';

        create temporary table left_behind as
        select k * ({{{tasks}}} / ({{{LeftBehind}}} + 1)) / 20 * 20 + 7 as id, k from generate_series(1, {{{LeftBehind}}}) as k;

        insert into execution (id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, end_time, revision, update_time)
        select g, type, g,
               case when left_behind then 'Running' else status end,
               '',
               'EVENT',
               case when type = 'REPLICATION' then '{}'
                    else format('{"artifact":{"digest":"sha256:%s%s","id":%s,"project_id":%s,"repository_name":"project-%s/service-%s"},"enabled_capabilities":{"type":"%s"},"operator":"harbor-jobservice","registration":{"id":1,"name":"Trivy"}}',
                                md5(g::text), md5('digest ' || g), g, g % 200 + 1, g % 200 + 1, g % 5000, case when type = 'SBOM' then 'sbom' else 'vulnerability' end) end::json,
               started,
               case when not left_behind then date_trunc('second', started) + interval '14 seconds' end,
               extract(epoch from started)::bigint % 2000000000,
               date_trunc('second', started) + interval '14 seconds'
        from (
            select g, started, l.id is not null as left_behind,
                   case when g % 20 = 0 then 'REPLICATION' when g % 10 = 1 then 'SBOM' else 'IMAGE_SCAN' end as type,
                   case when g % 1000 < 20 then 'Error' when g % 1000 < 25 then 'Stopped' else 'Success' end as status
            from generate_series(1, {{{tasks}}} - 15) as g
            left join left_behind l on l.id = g
            cross join lateral (select now()::timestamp - interval '90 days' * (({{{tasks}}} - g)::float8 / {{{tasks}}}) as started) as at
        ) as scans;

        insert into execution (id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, end_time, revision, update_time)
        select {{{tasks}}} - 15 + s, 'EXECUTION_SWEEP', -1, 'Success', '', 'SCHEDULE', '{}',
               now()::timestamp - interval '1 hour' * (11 - s), date_trunc('second', now()::timestamp - interval '1 hour' * (11 - s) + interval '1 minute'), 1,
               date_trunc('second', now()::timestamp - interval '1 hour' * (11 - s) + interval '1 minute')
        from generate_series(1, 10) as s;

        insert into execution (id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, end_time, revision, update_time)
        select {{{tasks}}} - 5 + s, 'SCAN_ALL', 0, case when s = 5 then 'Running' else 'Success' end, '', 'SCHEDULE',
               format('{"operator":"harbor-jobservice","summary":{"conflict_count":0,"precondition_count":0,"submit_count":%s,"total_count":%s,"unknow_count":0,"unsupport_count":0}}', {{{tasks}}} / 20, {{{tasks}}} / 20)::json,
               now()::timestamp - {{{age}}} - interval '7 days' * (5 - s),
               case when s < 5 then date_trunc('second', now()::timestamp - {{{age}}} - interval '7 days' * (5 - s) + interval '5 hours') end, 1,
               date_trunc('second', now()::timestamp - {{{age}}} - interval '7 days' * (5 - s) + interval '5 hours')
        from generate_series(1, 5) as s;

        insert into task (execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type)
        select e.id, left(md5('job ' || e.id), 24),
               case when l.id is null then e.status when k % 2 = 0 then 'Pending' else 'Running' end,
               case when l.id is null then 3 when k % 2 = 0 then 0 else 2 end,
               case when k % 2 = 0 then 0 else extract(epoch from e.start_time)::bigint end,
               '',
               case when k % 2 = 0 then 0 else 1 end,
               format('{"artifact_id":%s,"artifact_tag":"1.%s","report_uuids":["%s"],"robot_id":%s}', e.id, e.id % 100, md5('report ' || e.id)::uuid, 1000000 + e.id)::json,
               e.start_time,
               case when k is null or k % 2 = 1 then date_trunc('second', e.start_time) + interval '1 second' end,
               case when k is null or k % 2 = 1 then date_trunc('second', e.start_time) + interval '14 seconds' else e.start_time end,
               case when k is null then date_trunc('second', e.start_time) + interval '14 seconds' end,
               e.vendor_type
        from execution e left join left_behind l on l.id = e.id
        where e.vendor_type in ('IMAGE_SCAN', 'SBOM')
        order by e.id;

        insert into task (execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type)
        select {{{tasks}}}, left(md5('scan-all ' || t), 24), status,
               case status when 'Pending' then 0 when 'Running' then 2 else 3 end,
               extract(epoch from created)::bigint,
               '',
               case when status = 'Pending' then 0 else 1 end,
               format('{"artifact_id":%s,"artifact_tag":"","report_uuids":["%s"],"robot_id":%s}', t, md5('scan-all report ' || t)::uuid, 3000000 + t)::json,
               created,
               case when status <> 'Pending' then date_trunc('second', created) + interval '10 minutes' end,
               case when status = 'Success' then date_trunc('second', created) + interval '11 minutes' else date_trunc('second', created) + interval '10 minutes' end,
               case when status = 'Success' then date_trunc('second', created) + interval '11 minutes' end,
               'SCAN_ALL'
        from (
            select t, now()::timestamp - {{{age}}} + interval '1 millisecond' * (t % 60000) as created,
                   case when t <= of_scan_all - {{{open}}} + {{{LeftBehind}}} then 'Success' when t <= of_scan_all - {{{open}}} + {{{LeftBehind}}} + 10 then 'Running' else 'Pending' end as status
            from (select t, ({{{tasks}}} - (select count(*) from task))::bigint as of_scan_all from generate_series(1, {{{tasks}}} - (select count(*) from task)) as t) as numbered
        ) as tasks;

        insert into scan_report (uuid, digest, registration_uuid, mime_type, report)
        select coalesce(extra_attrs -> 'report_uuids' ->> 0, ''), 'sha256:' || md5('artifact ' || id) || md5('digest ' || id), '7a3c1f62-5f3f-11ef-9d55-0242ac120009',
               'application/vnd.security.vulnerability.report; version=1.1',
               case when status = 'Success' or status = 'Running' and execution_id % 3 = 0
                    then '{"generated_at":"2025-01-01T00:00:00Z","scanner":{"name":"Trivy","vendor":"Aqua Security","version":"v0.57.1"},"severity":"High","vulnerabilities":null}'::json end
        from task
        where id > {{{tasks}}} - {{{tasks}}} / 10 or status in ('Pending', 'Running');

        insert into robot (id, name, description, project_id, expiresat, visible, creation_time)
        select (extra_attrs ->> 'robot_id')::int, 'robot$project+Trivy-' || id, 'for scan', 1, -1, false, creation_time from task where status in ('Pending', 'Running')
        union all
        select r, 'robot$ci-' || r, 'a pipeline', 1, -1, true, now()::timestamp - interval '100 days' from generate_series(1, 200) as r;
        """;

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}

using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Database;

/// <summary>A secret stands wherever Harbor writes one; then all that the two roles can select, and all that their functions answer, is searched.</summary>
public sealed class PlantedSecretsTests
{
    private const string Secret = "planted-secret";

    /// <summary>Stands where the roles are meant to read, so that the search is known to find what is there.</summary>
    private const string Marker = "planted-marker";

    /// <summary>Every vendor type of an execution that is no scan.</summary>
    private static readonly string[] OtherTypes =
    [
        "GARBAGE_COLLECTION", "REPLICATION", "RETENTION", "P2P_PREHEAT", "SCHEDULER", "PURGE_AUDIT_LOG", "SYSTEM_ARTIFACT_CLEANUP", "SCAN_DATA_EXPORT", "EXECUTION_SWEEP",
        "WEBHOOK", "SLACK",
    ];

    /// <summary>A call of each function on every row that there is, by its arguments as PostgreSQL writes them.</summary>
    private static readonly Dictionary<string, string> Calls = new()
    {
        ["task_attributes"] = "select a.id || ' ' || coalesce(a.extra_attrs, '') from harbor_scan.task_attributes(array(select id from probe.task)) a",
        ["execution_attributes"] = "select a.id || ' ' || coalesce(a.extra_attrs, '') from harbor_scan.execution_attributes(array(select id from probe.execution)) a",
        ["executions_below"] = "select b.id || ' ' || coalesce(b.extra_attrs, '') from harbor_scan.executions_below(1000000, array(select distinct vendor_type from probe.execution), 1000) b",
        ["report_sharing"] = "select s::text from harbor_scan.report_sharing(array(select 'u'::text from probe.task), array(select id from probe.task)) s",
        ["named_scan_reports"] = "select harbor_scan.named_scan_reports()::text",
        ["named_sbom_reports"] = "select harbor_scan.named_sbom_reports()::text",
        ["is_read_only"] = "select harbor_scan.is_read_only()::text",
        ["task_image"] = "select harbor_scan.task_image(p.id) from probe.task p",
        ["lock_task"] = "select harbor_scan.lock_task(p.id, p.status, p.status_code, p.revision, p.updated) from probe.task p",
        ["write_task"] = "select harbor_scan.write_task(p.id, p.status, p.status_code, p.revision, p.updated, 'Error', 3, 'written', now()::timestamp, now()::timestamp) from probe.task p",
        ["task_is_left"] = "select harbor_scan.task_is_left(p.id, p.image)::text from probe.task p",
        ["lock_left_task"] = "select harbor_scan.lock_left_task(p.id, p.image) from probe.task p",
        ["restore_task"] = """select harbor_scan.restore_task(p.id, p.image, '{"status":"Error","status_code":3}') from probe.task p""",
        ["lock_execution"] = "select l.image from probe.execution p, harbor_scan.lock_execution(p.id) l",
        ["write_execution"] = "select harbor_scan.write_execution(p.id, 'Error', 'written', null) from probe.execution p",
        ["execution_is_left"] = "select harbor_scan.execution_is_left(p.id, p.image)::text from probe.execution p",
        ["execution_is_before"] = "select harbor_scan.execution_is_before(p.id, p.image)::text from probe.execution p",
        ["restore_execution"] = """select harbor_scan.restore_execution(p.id, '{"status":"Error"}') from probe.execution p""",
        ["lock_old_tasks"] = "select l.extra_attrs || l.image from probe.execution p, harbor_scan.lock_old_tasks(p.id, 1000) l",
        ["lock_old_execution"] = "select harbor_scan.lock_old_execution(p.id, p.vendor_type, p.status, p.revision, p.started) from probe.execution p",
        ["remove_execution"] = "select harbor_scan.remove_execution(p.id)::text from probe.execution p where p.vendor_type not in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')",
        ["put_back"] = """
            select harbor_scan.put_back(json_build_object('execution', json_build_object('id', 1000 + p.id, 'vendor_type', p.vendor_type, 'trigger', 'MANUAL'), 'tasks', json_build_array()))::text
            from probe.execution p where p.vendor_type not in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            """,
    };

    [Theory]
    [InlineData("2.2.0")]
    [InlineData("2.8.1")]
    [InlineData("2.11.0")]
    [InlineData("2.16.0")]
    public async Task Neither_role_can_read_one_and_no_function_touches_a_row_that_is_no_scan(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await harbor.GrantReadOnlyViewAsync();
        await harbor.GrantRemediationAsync(sweep: true);
        await PlantAsync(harbor);
        var before = await OthersAsync(harbor);

        foreach (var role in new[] { harbor.Role, harbor.RepairRole })
        {
            var seen = await ReadEverythingAsync(harbor, role);
            Assert.DoesNotContain(Secret, seen, StringComparison.Ordinal);
            Assert.Contains($"{Marker}-repository", seen, StringComparison.Ordinal);
            Assert.Contains($"{Marker}-attributes", seen, StringComparison.Ordinal);
            // Of messages the images of the repairing role alone hold some.
            Assert.Equal(role == harbor.RepairRole, seen.Contains($"{Marker}-message", StringComparison.Ordinal));
        }

        Assert.Equal(before, await OthersAsync(harbor));
        Assert.Equal(0, await harbor.Database.ScalarAsync<long>("select count(*) from execution where id > 1000"));
        // The functions did write what is a scan.
        Assert.Equal("Error written", await harbor.Database.ScalarAsync<string>("select concat_ws(' ', status, status_message) from execution where vendor_type = 'IMAGE_SCAN'"));
    }

    [Theory]
    [InlineData("grant select (extra_attrs) on execution to {0}", "execution-attributes-GARBAGE_COLLECTION")]
    [InlineData("grant select (extra_attrs) on task to {0}", "task-attributes-REPLICATION")]
    [InlineData("grant select (status_message) on task to {0}", "task-message-WEBHOOK")]
    [InlineData("grant select on robot to {0}", "robot-secret")]
    [InlineData("grant select on scanner_registration to {0}", "scanner")]
    [InlineData("grant select on properties to {0}", "property")]
    public async Task The_search_finds_what_one_grant_too_many_shows_and_the_printed_SQL_takes_back_those_it_once_gave(string grant, string found)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        await PlantAsync(harbor);
        foreach (var role in new[] { harbor.Role, harbor.RepairRole })
        {
            await harbor.Database.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, grant, role));
            Assert.Contains($"{Secret}-{found}", await ReadEverythingAsync(harbor, role), StringComparison.Ordinal);
        }
        if (found is "scanner" or "property") return;
        await harbor.GrantAsync();
        await harbor.GrantRemediationAsync();
        foreach (var role in new[] { harbor.Role, harbor.RepairRole })
            Assert.DoesNotContain(Secret, await ReadEverythingAsync(harbor, role), StringComparison.Ordinal);
    }

    private static async Task PlantAsync(TestHarbor harbor)
    {
        var seed = new Seed(harbor);
        foreach (var type in OtherTypes)
        {
            var execution = await seed.ExecutionAsync(type, "Running", extraAttributes: $$"""{"redis_url_reg":"redis://:{{Secret}}-execution-attributes-{{type}}@redis:6379/1"}""");
            foreach (var status in new[] { "Pending", "Running", "Success" })
                await seed.TaskAsync(execution, type, status, extraAttributes: $$"""{"report_uuids":["u"],"password":"{{Secret}}-task-attributes-{{type}}"}""", start: "now()");
            await harbor.Database.ExecuteAsync($"""
                update execution set status_message = '{Secret}-execution-message-{type}' where vendor_type = '{type}';
                update task set status_message = '{Secret}-task-message-{type}' where vendor_type = '{type}';
                """);
        }
        var scan = await seed.ExecutionAsync(extraAttributes: $$"""{"artifact":{"id":1},"note":"{{Marker}}-attributes"}""");
        await seed.TaskAsync(scan, extraAttributes: $$"""{"report_uuids":["u"],"note":"{{Marker}}-attributes"}""");
        await seed.RobotAsync(TimeSpan.FromDays(2));
        await seed.ReportAsync("u", "sha256:a", stored: true);
        await harbor.Database.ExecuteAsync($$"""
            update task set status_message = '{{Marker}}-message' where vendor_type = 'IMAGE_SCAN';
            update robot set secret = '{{Secret}}-robot-secret', salt = '{{Secret}}-robot-salt';
            insert into properties (k, v) values ('ldap_search_password', '{{Secret}}-property'), ('read_only', '{{Secret}}-property-of-mode') on conflict (k) do update set v = excluded.v;
            insert into scanner_registration (uuid, url, name, auth, access_cred) values ('s', 'http://{{Secret}}-scanner-url@scanner', 's', 'Bearer', '{{Secret}}-scanner');
            insert into harbor_user (username, password, realname, salt) values ('u', '{{Secret}}-user', 'u', '{{Secret}}-salt');
            insert into schedule (vendor_type, vendor_id, cron, callback_func_name, callback_func_param) values ('GARBAGE_COLLECTION', -1, '0', 'x', '{{Secret}}-schedule');
            insert into artifact (project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type{{(harbor.Release.SchemaVersion >= 140 ? ", artifact_type" : "")}})
                values (1, '{{Marker}}-repository', 'sha256:a', 'IMAGE', 1, 'm', 'm'{{(harbor.Release.SchemaVersion >= 140 ? ", 't'" : "")}});
            create schema probe;
            create table probe.task as
                select t.id::bigint, t.execution_id::bigint, t.vendor_type::text, t.status::text, t.status_code::bigint, coalesce(t.status_revision, 0)::bigint as revision,
                       extract(epoch from t.update_time)::float8 as updated, row_to_json(t) as image
                from task t;
            create table probe.execution as
                select e.id::bigint, e.vendor_type::text, e.status::text, coalesce(e.revision, 0)::bigint as revision, extract(epoch from e.start_time)::float8 as started, row_to_json(e) as image
                from execution e;
            grant usage on schema probe to {{harbor.Role}}, {{harbor.RepairRole}};
            grant select on probe.task, probe.execution to {{harbor.Role}}, {{harbor.RepairRole}};
            """);
    }

    /// <summary>A word for every row that is no scan's.</summary>
    private static Task<string> OthersAsync(TestHarbor harbor) => harbor.Database.ScalarAsync<string>("""
        select (select md5(string_agg(t::text, ' ' order by id)) from task t where vendor_type not in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM'))
            || (select md5(string_agg(e::text, ' ' order by id)) from execution e where vendor_type not in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM'))
        """);

    private static async Task<string> ReadEverythingAsync(TestHarbor harbor, string role)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString) { Username = role, Password = TestHarbor.Password }.ConnectionString);
        await connection.OpenAsync();
        await using (var unlock = new NpgsqlCommand("set default_transaction_read_only = off", connection)) await unlock.ExecuteNonQueryAsync();
        var selects = await ListAsync(connection, """
            select format('select concat_ws('' '', %s) from %I.%I', string_agg(format('%I::text', a.attname), ', '), n.nspname, c.relname)
            from pg_class c
                join pg_namespace n on n.oid = c.relnamespace
                join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'probe')
              and has_schema_privilege(n.oid, 'usage') and has_column_privilege(c.oid, a.attnum, 'select')
            group by n.nspname, c.relname
            """);
        // Those of the catalogue itself are everybody's, and Harbor writes nothing there.
        var functions = await ListAsync(connection, """
            select p.proname::text
            from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname not in ('pg_catalog', 'information_schema') and has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')
              and p.prorettype <> 'trigger'::regtype
            order by p.proname in ('write_task', 'restore_task', 'restore_execution', 'write_execution'), p.proname = 'write_execution', p.proname
            """);
        Assert.NotEmpty(selects);
        Assert.NotEmpty(functions);
        List<string> seen = [];
        foreach (var select in selects) seen.AddRange(await ListAsync(connection, select));
        foreach (var function in functions)
        {
            Assert.True(Calls.TryGetValue(function, out var call), $"{role} may call {function}, of which this test knows nothing.");
            seen.AddRange(await ListAsync(connection, call));
        }
        return string.Join('\n', seen);
    }

    private static async Task<List<string>> ListAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        List<string> rows = [];
        while (await reader.ReadAsync()) rows.Add(reader.IsDBNull(0) ? "" : reader.GetString(0));
        return rows;
    }
}

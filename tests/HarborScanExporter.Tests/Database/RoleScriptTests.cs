using HarborScanExporter.Database.Grants;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Database;

public sealed class RoleScriptTests
{
    [Fact]
    public void The_program_carries_every_script_of_deploy_sql() =>
        Assert.Equal(
            Directory.GetFiles(Repository.PathOf("deploy", "sql"), "*.sql").Select(Path.GetFileName).Order(StringComparer.Ordinal),
            [.. RoleScript.Names, RoleScript.OpenTaskIndex, RoleScript.PruneAudit]);

    [Fact]
    public void Names_and_literals_are_quoted()
    {
        var script = RoleScript.Filled("02-read-only-view.sql", new Dictionary<string, string> { ["role"] = "my \"role\"" });
        Assert.Contains("grant usage on schema harbor_scan to \"my \"\"role\"\"\";", script, StringComparison.Ordinal);
        var grants = RoleScript.Filled("01-scraping-role.sql", new Dictionary<string, string> { ["role"] = "r", ["password"] = "o'clock", ["database"] = "d" });
        Assert.Contains("set_config('harbor_scan.password', 'o''clock', false)", grants, StringComparison.Ordinal);
    }

    [Fact]
    public void The_reading_role_may_have_the_sessions_of_two_exporters_and_one_of_a_person_as_the_README_says()
    {
        // The reconciliation has one of its own.
        const int ofOne = HarborDatabase.MaxConnections + 1;
        Assert.Contains($"alter role %I connection limit {(2 * ofOne) + 1}'", RoleScript.Text(RoleScript.ScrapingRole), StringComparison.Ordinal);
        Assert.Equal((3, 7), (ofOne, (2 * ofOne) + 1));
        Assert.Contains("Its sessions are read-only by default, and at most seven: three of each of two exporters, and one of a person with psql.",
            string.Join(' ', File.ReadAllText(Repository.PathOf("README.md")).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_variable_is_named()
    {
        var error = Assert.Throws<ArgumentException>(() => RoleScript.Filled("01-scraping-role.sql", new Dictionary<string, string> { ["role"] = "r" }));
        Assert.Contains("01-scraping-role.sql needs the variable password", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_grants_can_be_run_again_and_keep_the_password_when_none_is_given()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync(RoleScript.Filled("01-scraping-role.sql",
            new Dictionary<string, string> { ["role"] = harbor.Role, ["password"] = "", ["database"] = harbor.Database.Name }));
        await using var exporter = await RunningExporter.StartAsync(harbor);
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
    }

    [Theory]
    [InlineData("01-scraping-role.sql")]
    [InlineData("03-remediation-role.sql")]
    public async Task A_role_that_Harbor_or_an_administrator_needs_is_refused_before_anything_is_changed(string script)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var (superuser, owner, member) = ($"{harbor.Role}_super", $"{harbor.Role}_owner", $"{harbor.Role}_member");
        await harbor.Database.ExecuteAsync($"""
            create role {superuser} superuser;
            create role {owner};
            create role {member} in role {owner};
            alter table task owner to {owner};
            drop schema harbor_scan cascade;
            """);
        try
        {
            var self = await harbor.Database.ScalarAsync<string>("select current_user::text");
            foreach (var (role, why) in new[] { (self, "is the one that runs this SQL"), (superuser, "is a superuser"), (owner, "owns Harbor's tables"), (member, "is a member of their owner") })
            {
                var error = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => RunAsync(harbor, script, role));
                Assert.Contains($"The role {role}", error.MessageText, StringComparison.Ordinal);
                Assert.Contains(why, error.MessageText, StringComparison.Ordinal);
                Assert.StartsWith("Name a role of ", error.Hint, StringComparison.Ordinal);
                Assert.Equal("-1 ", await harbor.Database.ScalarAsync<string>($"select rolconnlimit || ' ' || coalesce(rolconfig::text, '') from pg_roles where rolname = '{role}'"));
            }
            Assert.Equal(0, await harbor.Database.ScalarAsync<long>("select count(*) from pg_namespace where nspname = 'harbor_scan'"));
        }
        finally
        {
            await harbor.Database.ExecuteAsync($"alter table task owner to current_user; drop role {superuser}, {member}, {owner}");
        }
    }

    [Theory]
    [InlineData("01-scraping-role.sql")]
    [InlineData("03-remediation-role.sql")]
    public async Task A_function_that_a_role_put_into_public_is_not_called_when_the_SQL_is_run_again(string script)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        // Before PostgreSQL 15 everybody may, and an upgrade keeps that.
        await harbor.Database.ExecuteAsync("grant create on schema public to public");
        var role = script[0] == '0' && script[1] == '1' ? harbor.Role : harbor.RepairRole;
        await harbor.Database.ExecuteAsync($$"""
            set role {{role}};
            set transaction_read_only = off;
            create function public.format(text, name) returns text language plpgsql as $f$
                begin execute 'alter role {{role}} superuser'; return pg_catalog.format($1, $2); end $f$;
            create function public.format(text, text) returns text language plpgsql as $f$
                begin execute 'alter role {{role}} superuser'; return pg_catalog.format($1, $2); end $f$;
            create function public.to_regclass(text) returns regclass language plpgsql as $f$
                begin execute 'alter role {{role}} superuser'; return pg_catalog.to_regclass($1); end $f$;
            reset role;
            """);
        await RunAsync(harbor, script, role);
        Assert.False(await harbor.Database.ScalarAsync<bool>($"select rolsuper from pg_roles where rolname = '{role}'"));
        await harbor.Database.ExecuteAsync("drop function public.format(text, name), public.format(text, text), public.to_regclass(text)");
    }

    [Theory]
    [InlineData("01-scraping-role.sql")]
    [InlineData("02-read-only-view.sql")]
    [InlineData("03-remediation-role.sql")]
    public async Task Who_may_not_make_a_schema_is_told_what_the_owner_of_the_database_has_to_grant(string script)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var maker = $"{harbor.Role}_maker";
        await harbor.Database.ExecuteAsync($"create role {maker} createrole");
        try
        {
            await harbor.Database.ExecuteAsync("drop schema harbor_scan cascade");
            var error = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => harbor.Database.ExecuteAsync($"set role {maker}; {Filled(harbor, script, "somebody")}"));
            Assert.Equal($"The role {maker} may not make the schema harbor_scan in the database {harbor.Database.Name}.", error.MessageText);
            Assert.Equal($"Let the owner of the database run: grant create on database {harbor.Database.Name} to {maker};", error.Hint);
        }
        finally
        {
            await harbor.Database.ExecuteAsync($"drop role {maker}");
        }
    }

    [Theory]
    [InlineData("01-scraping-role.sql")]
    [InlineData("02-read-only-view.sql")]
    [InlineData("03-remediation-role.sql")]
    public async Task Whose_schema_was_made_by_an_administrator_need_not_be_allowed_to_make_one(string script)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var maker = $"{harbor.Role}_maker";
        await harbor.Database.ExecuteAsync($$"""
            create role {{maker}} createrole;
            do $$ declare one regclass; begin
                for one in select oid from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') loop execute format('alter table %s owner to {{maker}}', one); end loop;
            end $$;
            drop schema harbor_scan cascade;
            create schema harbor_scan authorization {{maker}};
            """);
        try
        {
            string[] scripts = script == RoleScript.RemediationRole ? [RoleScript.ScrapingRole, script] : [script];
            // Twice: the second time the role and everything of its are there.
            foreach (var one in scripts.Concat(scripts))
                await harbor.Database.ExecuteAsync($"set role {maker}; {Filled(harbor, one, one == RoleScript.RemediationRole ? harbor.RepairRole : harbor.Role)}; reset role");
            Assert.True(await harbor.Database.ScalarAsync<bool>("select to_regnamespace('harbor_scan') is not null"));
        }
        finally
        {
            await harbor.Database.ExecuteAsync($"reassign owned by {maker} to current_user; drop owned by {maker}; drop role {maker}");
        }
    }

    [Fact]
    public async Task The_role_that_repairs_is_not_made_before_the_functions_that_it_reads_by()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("drop schema harbor_scan cascade");
        var error = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => RunAsync(harbor, RoleScript.RemediationRole, harbor.RepairRole));
        Assert.Equal("Run 01-scraping-role.sql first.", error.Hint);
        Assert.Equal(0, await harbor.Database.ScalarAsync<long>($"select count(*) from pg_roles where rolname = '{harbor.RepairRole}'"));
    }

    [Fact]
    public void Every_script_looks_for_the_schema_of_Harbors_tables_in_the_same_way()
    {
        string[] looks =
        [
            .. from name in RoleScript.Names.Concat([RoleScript.OpenTaskIndex, RoleScript.PruneAudit])
               let text = RoleScript.Text(name)
               let begin = text.IndexOf("do $home$", StringComparison.Ordinal)
               select text[begin..(text.IndexOf("$home$;", begin, StringComparison.Ordinal) + 7)],
        ];
        Assert.Equal(6, looks.Length);
        Assert.Single(looks.Distinct(StringComparer.Ordinal));
        Assert.All(RoleScript.Names.Concat([RoleScript.OpenTaskIndex, RoleScript.PruneAudit]), name => Assert.DoesNotMatch(@"public\.\S", RoleScript.Text(name)));
    }

    [Fact]
    public async Task Psql_runs_every_script_where_Harbors_tables_stand_in_another_schema()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync("""
            create schema "Harbor's own";
            do $do$
            declare name text;
            begin
                for name in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
                    execute format('alter table public.%I set schema "Harbor''s own"', name);
                end loop;
            end
            $do$;
            """);
        var owner = new Npgsql.NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString);
        foreach (var script in RoleScript.Names.Append(RoleScript.OpenTaskIndex))
        {
            var run = await Tool.RunAsync("psql",
            [
                "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-v", $"role={harbor.Role}", "-v", "password=", "-v", $"remediation_role={harbor.RepairRole}",
                "-v", $"remediation_password={TestHarbor.Password}", "-v", $"database={harbor.Database.Name}",
                "-d", $"host={owner.Host} port={owner.Port} user={owner.Username} dbname={owner.Database}{(owner.Password is { Length: > 0 } password ? $" password='{password}'" : "")}",
                "-f", Repository.PathOf("deploy", "sql", script),
            ]);
            Assert.True(run.ExitCode == 0, $"{script}: {run}");
        }
        await using var exporter = await RunningExporter.StartAsync(harbor, ("HARBOR_SCAN_COLLECTORS_ENABLED", "orphan_reports"));
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
        var settings = HarborScanExporter.Settings.SettingsReader.Read(harbor.Environment(), new Dictionary<string, string>()).Settings!;
        await using var database = new HarborDatabase(settings.Database, TimeSpan.FromSeconds(10));
        await using var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(new HarborTables("Harbor's own", true, true), snapshot.Tables);
        Assert.True((await TableHorizonProbe.ReadAsync(snapshot, TestContext.Current.CancellationToken)).HasOpenTaskIndex);
    }

    private static Task RunAsync(TestHarbor harbor, string script, string role) => harbor.Database.ExecuteAsync(Filled(harbor, script, role));

    private static string Filled(TestHarbor harbor, string script, string role) => RoleScript.Filled(script, new Dictionary<string, string>
    {
        ["role"] = script.StartsWith("01", StringComparison.Ordinal) ? role : harbor.Role,
        ["remediation_role"] = role, ["password"] = "", ["remediation_password"] = "", ["database"] = harbor.Database.Name,
    });
}

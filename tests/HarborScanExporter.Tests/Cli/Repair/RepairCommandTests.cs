using System.Text.Json.Nodes;
using HarborScanExporter.Cli;
using HarborScanExporter.Cli.Repair;
using HarborScanExporter.Findings;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Cli.Check;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Cli.Repair;

/// <summary>The command repair over a real database and a real Redis.</summary>
public sealed class RepairCommandTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task Without_apply_it_prints_the_repair_its_reason_and_what_is_left_alone_and_writes_nothing()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await LoseAsync(harbor, 1);
        await HangAsync(harbor);
        var before = await RowsAsync(harbor);

        var run = await CommandRun.RepairAsync(Environment(harbor));

        Assert.Equal(RepairCommand.Left, run.Exit);
        string[] lines = run.Output.Split('\n');
        Assert.Equal("1 repair is due; --apply writes it.", lines[0]);
        Assert.Equal("ACTION       WHICH               STATUS", lines[2]);
        Assert.Equal($"finish_task  task {task}, IMAGE_SCAN  Pending -> Error", lines[3]);
        Assert.Contains("finish_task of lost", run.Output, StringComparison.Ordinal);
        Assert.Contains("  Does   The row becomes Error with code 3 and an end, and its execution is", run.Output, StringComparison.Ordinal);
        Assert.Contains("  Proof  The row is Pending, for 5 h", run.Output, StringComparison.Ordinal);
        Assert.Contains("  needs_api  1 hung (task 2): A worker holds it: only a stop by Harbor's API ends it.", run.Output, StringComparison.Ordinal);
        Assert.Equal(2, run.Error.Split('\n').Count(line => line.StartsWith("Looking again in 60 s, as only what is seen so for a minute is repaired.", StringComparison.Ordinal)));
        Assert.Equal(before, await RowsAsync(harbor));
        Assert.Equal("", await harbor.AuditAsync());
        Assert.DoesNotContain(TestHarbor.Password, run.All, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(200)]
    public async Task The_plan_of_a_Harbor_with_most_troubles(int width)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await CheckSituation.SeedAsync(harbor.Harbor, harbor.Redis);

        var run = await CommandRun.RepairAsync(Environment(harbor), width: width);

        Assert.Equal(RepairCommand.Left, run.Exit);
        Assert.All(run.Output.Split('\n'), line =>
        {
            Assert.InRange(line.Length, 0, width);
            Assert.Equal(line.TrimEnd(), line);
        });
        Assert.DoesNotContain("\u001b", run.Output, StringComparison.Ordinal);
        Golden.Check(Repository.PathOf("tests", "HarborScanExporter.Tests", "Cli", "Repair", "Golden", $"repair-{width}.txt"), CheckTests.Steady(run.Output));
    }

    [Fact]
    public async Task Apply_writes_and_says_what_was_written_where_in_the_audit()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await LoseAsync(harbor, 1);

        var run = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Apply = true, Actor = "Ada", Note = "ticket 7" });

        Assert.Equal(RepairCommand.NothingLeft, run.Exit);
        Assert.Matches(@"\ARun [0-9a-f]{12}: 1 done\.\n", run.Output);
        Assert.Contains($"finish_task  task {task}, IMAGE_SCAN  Pending -> Error  done    1", run.Output, StringComparison.Ordinal);
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));
        Assert.Equal("command Ada ticket 7", await harbor.Harbor.Database.ScalarAsync<string>("select concat_ws(' ', source, actor, note) from harbor_scan.repair"));
        var again = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Apply = true });
        Assert.Equal(RepairCommand.NothingLeft, again.Exit);
        Assert.Matches(@"\ARun [0-9a-f]{12}: nothing was done\.\n", again.Output);
    }

    [Fact]
    public async Task A_dry_run_tries_the_statements_and_leaves_no_trace()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await LoseAsync(harbor, 1);

        var run = await CommandRun.RepairAsync(Environment(harbor, (Setting.Names.Remediation, "dry-run")), new RepairOptions { DryRun = true });

        Assert.Equal(RepairCommand.Left, run.Exit);
        Assert.Matches(@"\ARun [0-9a-f]{12} was rolled back and nothing is written: 1 would be done\.\n", run.Output);
        Assert.Equal("Pending 0 0", await harbor.TaskAsync(task));
        Assert.Equal("", await harbor.AuditAsync());
    }

    [Theory]
    [InlineData("off", "Nothing may be written: HARBOR_SCAN_REMEDIATION is off. Set it to execute, or leave out --apply to see what would be done.")]
    [InlineData("dry-run", "Nothing may be written: HARBOR_SCAN_REMEDIATION is dry-run. Set it to execute, or leave out --apply to see what would be done.")]
    public async Task Below_the_ceiling_of_execute_nothing_is_written(string mode, string problem)
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await LoseAsync(harbor, 1);

        var apply = await CommandRun.RepairAsync(Environment(harbor, (Setting.Names.Remediation, mode)), new RepairOptions { Apply = true });
        var undo = await CommandRun.RepairAsync(Environment(harbor, (Setting.Names.Remediation, mode)), new RepairOptions { Undo = 1 });
        var plan = await CommandRun.RepairAsync(Environment(harbor, (Setting.Names.Remediation, mode)));

        Assert.Equal((RepairCommand.CouldNot, "", problem), (apply.Exit, apply.Output, apply.Error.Trim()));
        Assert.Equal((RepairCommand.CouldNot, "", $"Nothing may be written: HARBOR_SCAN_REMEDIATION is {mode}. Set it to execute."), (undo.Exit, undo.Output, undo.Error.Trim()));
        Assert.Equal(RepairCommand.Left, plan.Exit);
        Assert.Contains($"finish_task  task {task}, IMAGE_SCAN  Pending -> Error\n", plan.Output, StringComparison.Ordinal);
        Assert.Equal("Pending 0 0", await harbor.TaskAsync(task));
        Assert.Equal("", await harbor.AuditAsync());
    }

    [Fact]
    public async Task A_repair_is_taken_back_once_and_not_done_again()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await LoseAsync(harbor, 1);
        var before = await RowsAsync(harbor);
        await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Apply = true });

        var undo = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Undo = 1 });
        var twice = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Undo = 1 });
        var unknown = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Undo = 99 });
        var again = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Apply = true });

        Assert.Equal((RepairCommand.NothingLeft, "Repair 1 is taken back; line 2 of the audit says so.", ""), (undo.Exit, undo.Output.Trim(), undo.Error));
        Assert.Equal(before, await RowsAsync(harbor));
        Assert.Equal((RepairCommand.Left, "", "Repair 1 was taken back already."), (twice.Exit, twice.Output, twice.Error.Trim()));
        Assert.Equal((RepairCommand.Left, "", "There is no repair 99."), (unknown.Exit, unknown.Output, unknown.Error.Trim()));
        Assert.Equal(RepairCommand.Left, again.Exit);
        Assert.Contains($"  undone  1 lost (task {task}): A person took repair 1 of the same row back.", again.Output, StringComparison.Ordinal);
        Assert.Equal(before, await RowsAsync(harbor));
    }

    [Fact]
    public async Task An_id_and_a_filter_choose_what_is_repaired()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var (first, second, third) = (await LoseAsync(harbor, 1), await LoseAsync(harbor, 2), await LoseAsync(harbor, 3, "SCAN_ALL"));

        var one = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Apply = true, Ids = [$"task-{second}", "task-999"] });
        var type = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Apply = true, Filter = FindingsFilter.Of(["lost"], ["SCAN_ALL"], null) });

        Assert.Equal(RepairCommand.NothingLeft, one.Exit);
        Assert.Contains("Nothing is wrong with task-999 any more, or there is no such row.", one.Error, StringComparison.Ordinal);
        Assert.Equal(RepairCommand.NothingLeft, type.Exit);
        Assert.Equal(("Pending 0 0", "Error 3 0 ended", "Error 3 0 ended"), (await harbor.TaskAsync(first), await harbor.TaskAsync(second), await harbor.TaskAsync(third)));
    }

    [Fact]
    public async Task Quick_looks_once_and_says_why_that_repairs_nothing()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await UnreportAsync(harbor);

        var run = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Quick = true, Apply = true });

        Assert.Equal(RepairCommand.Left, run.Exit);
        Assert.StartsWith("What was seen at one look only is not repaired", run.Error, StringComparison.Ordinal);
        Assert.Contains("  second_look  1 unreported (task 1): It was seen so for 0 s;", run.Output, StringComparison.Ordinal);
        Assert.Equal("", await harbor.AuditAsync());
    }

    [Fact]
    public async Task What_holds_all_repairs_comes_first_and_nothing_is_written()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("harbor-pause-").FullName, "pause");
        await File.WriteAllTextAsync(file, "maintenance until ten", TestContext.Current.CancellationToken);
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await LoseAsync(harbor, 1);

        var run = await CommandRun.RepairAsync(Environment(harbor, (Setting.Names.RemediationPauseFile, file)), new RepairOptions { Apply = true }, width: 200);

        Assert.Equal(RepairCommand.Left, run.Exit);
        Assert.StartsWith($"Repairs are paused by the file {file}: maintenance until ten. Remove it to go on.", run.Output, StringComparison.Ordinal);
        Assert.Contains($"finish_task  task {task}, IMAGE_SCAN  Pending -> Error  lost     held", run.Output, StringComparison.Ordinal);
        Assert.Equal("Pending 0 0", await harbor.TaskAsync(task));
    }

    [Fact]
    public async Task What_may_be_an_outage_is_repaired_when_a_person_says_that_it_is_none()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        for (var i = 1; i <= 21; i++) await LoseAsync(harbor, i);

        var held = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Apply = true });
        var done = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Apply = true, OverrideShare = true, Note = "Redis was replaced" });

        Assert.Equal(RepairCommand.Left, held.Exit);
        Assert.StartsWith("21 of 21 open tasks are stuck and no scan has begun or succeeded since", held.Output, StringComparison.Ordinal);
        Assert.Equal(RepairCommand.NothingLeft, done.Exit);
        Assert.Contains("... and 11 finish_task more; --all lists them.", done.Output, StringComparison.Ordinal);
        Assert.Contains("(20 more like it)", done.Output, StringComparison.Ordinal);
        Assert.Equal(("The share rule is overridden. Redis was replaced", 21), (
            await harbor.Harbor.Database.ScalarAsync<string>("select distinct note from harbor_scan.repair"), await harbor.Harbor.Database.ScalarAsync<int>("select count(*)::int from harbor_scan.repair")));
    }

    [Fact]
    public async Task Without_its_audit_it_repairs_nothing_and_names_the_SQL()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await LoseAsync(harbor, 1);
        await harbor.Harbor.Database.ExecuteAsync("drop table harbor_scan.repair");

        var run = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Apply = true });

        Assert.Equal((RepairCommand.CouldNot, ""), (run.Exit, run.Output));
        Assert.Contains("Run the SQL of deploy/sql/03-remediation-role.sql", run.Error, StringComparison.Ordinal);
        Assert.Equal("Pending 0 0", await harbor.TaskAsync(task));
    }

    [Fact]
    public async Task A_role_that_cannot_sign_in_is_named_with_its_setting()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var run = await CommandRun.RepairAsync(Environment(harbor, (Setting.Names.RemediationDatabasePassword, "wrong")));
        Assert.Equal((RepairCommand.CouldNot, ""), (run.Exit, run.Output));
        Assert.StartsWith("What repairs need of the database could not be read (auth). Check HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME and its password, and the server's pg_hba.conf. (28P01: password authentication failed for user ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_is_away_is_exit_code_2()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var run = await CommandRun.RepairAsync(Environment(harbor, (Setting.Names.DatabasePort, $"{Tool.FreePort()}")));
        Assert.Equal((RepairCommand.CouldNot, ""), (run.Exit, run.Output));
        Assert.Contains("Could not look: Harbor's database could not be read (connect).", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_to_repair_is_exit_code_0()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var run = await CommandRun.RepairAsync(Environment(harbor));
        Assert.Equal((RepairCommand.NothingLeft, "Nothing is to be repaired.", ""), (run.Exit, run.Output.Trim(), run.Error));
    }

    [Fact]
    public async Task A_plan_says_that_it_did_not_search_for_old_executions_and_counts_them_when_it_is_asked_to()
    {
        await using var harbor = await RepairingHarbor.StartAsync("2.10.0", changes: (Setting.Names.RemediationSweep, "on"));
        var days = TimeSpan.FromDays(1);
        for (var i = 20; i > 3; i--)
        {
            await harbor.Seed.ExecutionAsync(status: "Success", started: i * days, extraAttributes: """{"artifact":{"digest":"sha256:1","id":1,"project_id":1,"repository_name":"library/app"}}""");
        }
        var sweeps = Environment(harbor, (Setting.Names.RemediationSweep, "on"));

        var plain = await CommandRun.RepairAsync(sweeps, width: 300);
        var searched = await CommandRun.RepairAsync(sweeps, new RepairOptions { OldExecutions = true }, width: 300);
        var off = await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { OldExecutions = true }, width: 300);
        var json = JsonNode.Parse((await CommandRun.RepairAsync(sweeps, new RepairOptions { Output = RepairOutput.Json })).Output)!;

        Assert.Equal((RepairCommand.NothingLeft, "Nothing that was looked at is to be repaired."), (plain.Exit, plain.Output.Split('\n')[0]));
        Assert.Contains("  not_looked_at  beyond_retention: Old executions were not searched for, as that reads all executions.", plain.Output, StringComparison.Ordinal);
        Assert.Equal((RepairCommand.Left, "16 repairs are due; --apply writes them."), (searched.Exit, searched.Output.Split('\n')[0]));
        Assert.DoesNotContain("not_looked_at", searched.Output, StringComparison.Ordinal);
        Assert.Equal((RepairCommand.Left, "Nothing is to be repaired."), (off.Exit, off.Output.Split('\n')[0]));
        Assert.Contains("  switched_off  16 beyond_retention: Old executions are not removed. Set HARBOR_SCAN_REMEDIATION_SWEEP to on.", off.Output, StringComparison.Ordinal);
        Assert.Equal(0, (long?)json["left"]!["not_looked_at"]);
        Assert.Equal("Nothing is to be repaired.", (await CommandRun.RepairAsync(Environment(harbor))).Output.Trim());
    }

    [Theory]
    [InlineData(true, false, null)]
    [InlineData(false, true, null)]
    [InlineData(false, false, "lost")]
    public void Old_executions_are_counted_by_a_plan_of_everything_alone(bool apply, bool dryRun, string? verdict) =>
        Assert.StartsWith("--old-executions counts what a plan of everything would remove", new RepairOptions
        {
            OldExecutions = true, Apply = apply, DryRun = dryRun, Filter = FindingsFilter.Of([verdict], null, null),
        }.ProblemUnder(RemediationMode.Execute), StringComparison.Ordinal);

    [Fact]
    public async Task A_signal_ends_the_wait_at_once()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        await LoseAsync(harbor, 1);
        using var output = new HeardWriter();
        using var error = new HeardWriter();
        using var signal = new CancellationTokenSource();
        var running = RepairCommand.RunAsync(CommandRun.SettingsOf(Environment(harbor)), new RepairOptions { Apply = true },
            new Terminal { Output = output, Error = error, Width = 80 }, TimeProvider.System, signal.Token);
        await Eventually.HoldsAsync(() => Task.FromResult(error.ToString().Contains("Looking again", StringComparison.Ordinal)), TimeSpan.FromSeconds(60), error.ToString);
        await signal.CancelAsync();
        Assert.Equal(RepairCommand.Interrupted, await running.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken));
        Assert.EndsWith("Interrupted. What was written until then stays, and is in the audit.", error.ToString().Trim(), StringComparison.Ordinal);
        Assert.Equal("", output.ToString());
    }

    [Fact]
    public async Task Json_has_the_plan_and_the_run()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await LoseAsync(harbor, 1);
        await HangAsync(harbor);

        var plan = JsonNode.Parse((await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Output = RepairOutput.Json })).Output)!;
        var run = JsonNode.Parse((await CommandRun.RepairAsync(Environment(harbor), new RepairOptions { Output = RepairOutput.Json, Apply = true })).Output)!;

        var planned = Assert.Single(plan["repairs"]!.AsArray())!;
        Assert.Equal(("finish_task", $"task-{task}", "lost", task, "Error"),
            ((string?)planned["action"], (string?)planned["finding"], (string?)planned["verdict"], (long?)planned["task_id"], (string?)planned["status"]));
        Assert.Null(planned["state"]);
        var refused = Assert.Single(plan["refusals"]!.AsArray())!;
        Assert.Equal(("hung", "needs_api", 1), ((string?)refused["verdict"], (string?)refused["reason"], (int?)refused["count"]));
        Assert.Equal(("execute", "left", 1), ((string?)run["mode"], (string?)run["end"], (int?)run["batches"]));
        var done = Assert.Single(run["repairs"]!.AsArray())!;
        Assert.Equal(("done", 1L), ((string?)done["state"], (long?)done["audit_id"]));
    }

    [Fact]
    public async Task The_program_itself_takes_a_repair_back()
    {
        await using var harbor = await RepairingHarbor.StartAsync();
        var task = await LoseAsync(harbor, 1);
        await harbor.SeeTwiceAsync();
        await harbor.RunAsync();
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(task));

        var undo = await ExporterProcess.RunAsync(Environment(harbor), "repair", "--undo", "1", "--actor", "Ada");
        var plan = await ExporterProcess.RunAsync(Environment(harbor, (Setting.Names.Remediation, "dry-run")), "repair", "--quick");
        var apply = await ExporterProcess.RunAsync(Environment(harbor, (Setting.Names.Remediation, "dry-run")), "repair", "--apply");

        Assert.Equal((0, "Repair 1 is taken back; line 2 of the audit says so."), (undo.ExitCode, undo.Output.Trim()));
        Assert.Equal("Pending 0 0", await harbor.TaskAsync(task));
        Assert.Equal((0, "Nothing is to be repaired."), (plan.ExitCode, plan.Output.Split('\n')[0]));
        Assert.Equal(2, apply.ExitCode);
    }

    private static Dictionary<string, string> Environment(RepairingHarbor harbor, params (string, string)[] changes) =>
        harbor.Harbor.RemediationEnvironment([(Setting.Names.RedisUrl, harbor.Redis.Url), .. changes]);

    private static async Task<long> LoseAsync(RepairingHarbor harbor, int number, string type = "IMAGE_SCAN") => await harbor.Seed.TaskAsync(
        await harbor.Seed.ExecutionAsync(type, started: (5 * Hour) + TimeSpan.FromMinutes(1)), type, created: (5 * Hour) + TimeSpan.FromMinutes(1), jobId: number.ToString("x24", System.Globalization.CultureInfo.InvariantCulture));

    private static async Task HangAsync(RepairingHarbor harbor)
    {
        const string job = "d41a52b63c74d85e96f0a1b2";
        var execution = await harbor.Seed.ExecutionAsync(started: 3.5 * Hour);
        await harbor.Seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(3 * Hour), runCount: 1, created: 3.5 * Hour, update: Ago(3 * Hour), end: ZeroTime, jobId: job);
        await harbor.Jobs.RecordAsync(job, "Running", 3 * Hour, acknowledged: "Running");
        await harbor.Jobs.InProgressAsync(job, 3.5 * Hour);
        await harbor.Jobs.WorkerAsync(job, 3 * Hour);
    }

    private static async Task UnreportAsync(RepairingHarbor harbor)
    {
        const string job = "b83dd1e2f3a4b5c6d7e8f901";
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour);
        await harbor.Seed.TaskAsync(execution, status: "Running", revision: RevisionAgo(4.5 * Hour), created: 4.5 * Hour, update: Ago(4.4 * Hour), jobId: job);
        await harbor.Jobs.RecordAsync(job, "Error", 4.3 * Hour, 4.5 * Hour, acknowledged: "Error");
    }

    /// <summary>The rows that a repair may change, but for the execution's revision, which only rises.</summary>
    private static Task<string> RowsAsync(RepairingHarbor harbor) => harbor.Harbor.Database.ScalarAsync<string>("""
        select (select string_agg(t::text, ';' order by id) from task t)
            || (select string_agg(concat_ws(',', id, status, update_time, end_time, status_message), ';' order by id) from execution)
        """);
}

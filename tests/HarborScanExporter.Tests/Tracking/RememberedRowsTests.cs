using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Metrics;
using HarborScanExporter.Tests.Observation;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Tracking;

/// <summary>Between two reads of the whole tables a scrape knows every open row, whatever happened to it.</summary>
public sealed class RememberedRowsTests
{
    private static readonly (string, string)[] Often = [(Setting.Names.ReconciliationInterval, "1s")];

    private static double Open(MetricsDocument scrape, string type = "IMAGE_SCAN") =>
        new[] { "Pending", "Scheduled", "Running" }.Sum(status => scrape.Value("harbor_scan_tasks", ("type", type), ("status", status)));

    private static double Tasks(MetricsDocument scrape, string status, string type = "IMAGE_SCAN") => scrape.Value("harbor_scan_tasks", ("type", type), ("status", status));

    private static double Running(MetricsDocument scrape, string type = "IMAGE_SCAN") => scrape.Value("harbor_scan_executions", ("type", type), ("status", "Running"));

    private static string Finish(long task, string status = "Success") =>
        $"update task set status = '{status}', status_code = 3, status_revision = 1, update_time = date_trunc('second', now() at time zone 'utc'), end_time = date_trunc('second', now() at time zone 'utc') where id = {task}";

    [Fact]
    public async Task A_scan_is_seen_from_its_first_row_to_its_end_without_a_read_of_the_whole_tables()
    {
        await using var harbor = await RememberingHarbor.StartAsync(seed => seed.ExecutionAsync(status: "Success", started: TimeSpan.FromDays(3)));
        var execution = await harbor.Seed.ExecutionAsync();
        var task = await harbor.Seed.TaskAsync(execution);
        var pending = await harbor.ScrapeAsync();
        await harbor.Seed.ExecuteAsync($"update task set status = 'Running', status_code = 2, status_revision = 1 where id = {task}");
        var running = await harbor.ScrapeAsync();
        await harbor.Seed.ExecuteAsync($"{Finish(task)}; update execution set status = 'Success' where id = {execution}");
        var finished = await harbor.ScrapeAsync();

        Assert.Equal((1, 0, 0, 1), (Tasks(pending, "Pending"), Tasks(pending, "Running"), Tasks(pending, "Success"), Running(pending)));
        Assert.Equal((0, 1, 0, 1), (Tasks(running, "Pending"), Tasks(running, "Running"), Tasks(running, "Success"), Running(running)));
        Assert.Equal((0, 0, 1, 0), (Tasks(finished, "Pending"), Tasks(finished, "Running"), Tasks(finished, "Success"), Running(finished)));
        Assert.Equal(2, finished.Value("harbor_scan_executions", ("type", "IMAGE_SCAN"), ("status", "Success")));
        Assert.Equal((0, 0, 1), (finished.Value("harbor_scan_scrape_whole_reads", ("table", "task")), finished.Value("harbor_scan_scrape_whole_reads", ("table", "execution")),
            finished.Value("harbor_scan_reconciliations_total")));
    }

    [Fact]
    public async Task A_lower_id_that_commits_after_a_higher_one_is_seen()
    {
        await using var harbor = await RememberingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync();
        await using (var slow = await harbor.Harbor.Database.OpenAsync())
        {
            await using var transaction = await slow.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await using var insert = new Npgsql.NpgsqlCommand($"insert into task (execution_id, status, status_code, status_revision, vendor_type) values ({execution}, 'Pending', 0, 0, 'IMAGE_SCAN')", slow, transaction);
            await insert.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await harbor.Seed.TaskAsync(execution);
            Assert.Equal(1, Open(await harbor.ScrapeAsync()));
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }

        Assert.Equal(2, Open(await harbor.ScrapeAsync()));
    }

    [Theory]
    [InlineData(20, 2)]
    [InlineData(70, 1)]
    public async Task What_a_transaction_commits_that_was_open_before_the_start_is_seen_when_it_began_in_the_last_hour(int minutes, int open)
    {
        await using var harbor = await RememberingHarbor.StartAsync();
        var execution = await harbor.Seed.ExecutionAsync(started: TimeSpan.FromHours(2));
        await using (var slow = await harbor.Harbor.Database.OpenAsync())
        {
            await using var transaction = await slow.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await using var insert = new Npgsql.NpgsqlCommand($"""
                insert into task (execution_id, status, status_code, status_revision, vendor_type, creation_time)
                values ({execution}, 'Pending', 0, 0, 'IMAGE_SCAN', now() at time zone 'utc' - interval '{minutes} minutes')
                """, slow, transaction);
            await insert.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await harbor.Seed.TaskAsync(execution, created: TimeSpan.FromMinutes(minutes - 5));
            await harbor.RestartAsync();
            Assert.Equal(1, Open(await harbor.ScrapeAsync()));
            Assert.Equal(1, Open(await harbor.ScrapeAsync()));
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }

        var scrape = await harbor.ScrapeAsync();
        Assert.Equal((open, 1), (Open(scrape), scrape.Value("harbor_scan_reconciliations_total")));
    }

    [Fact]
    public async Task What_a_hand_deletes_or_ends_is_no_longer_open()
    {
        await using var harbor = await RememberingHarbor.StartAsync(async seed =>
        {
            var execution = await seed.ExecutionAsync(started: TimeSpan.FromDays(2));
            await seed.TaskAsync(execution, created: TimeSpan.FromDays(2), copies: 3);
        });
        await harbor.Seed.ExecuteAsync("delete from task where id = 1; update task set status = 'Error' where id = 2");
        var scrape = await harbor.ScrapeAsync();

        Assert.Equal((1, 1), (Open(scrape), Tasks(scrape, "Error")));
        // The code is still that of a row that waits.
        Assert.Equal(1, scrape.Value("harbor_scan_inconsistencies", ("type", "IMAGE_SCAN"), ("kind", "final_status_wrong_code")));
    }

    [Theory]
    [InlineData("1 hour")]
    [InlineData("2 hours 9 minutes")]
    public async Task A_scan_that_ended_lately_and_lives_again_is_seen(string ago)
    {
        await using var harbor = await RememberingHarbor.StartAsync(async seed =>
        {
            var execution = await seed.ExecutionAsync(status: "Error", started: TimeSpan.FromDays(2), update: $"now() at time zone 'utc' - interval '{ago}'");
            await seed.TaskAsync(execution, status: "Error", created: TimeSpan.FromDays(2), update: $"now() at time zone 'utc' - interval '{ago}'");
            // Everything newer lies above it.
            await seed.TaskAsync(execution, status: "Error", created: TimeSpan.FromDays(1), copies: 100);
        });
        await harbor.Seed.ExecuteAsync("update task set status = 'Running', status_code = 2 where id = 1; update execution set status = 'Running'");
        var scrape = await harbor.ScrapeAsync();

        Assert.Equal((1, 100, 1), (Open(scrape), Tasks(scrape, "Error"), Running(scrape)));
        Assert.Equal(0, scrape.Value("harbor_scan_executions", ("type", "IMAGE_SCAN"), ("status", "Error")));
    }

    [Fact]
    public async Task What_a_hand_opens_long_after_its_end_the_next_read_of_the_whole_table_finds_and_counts()
    {
        await using var harbor = await RememberingHarbor.StartAsync(OldAsync);
        await harbor.Seed.ExecuteAsync("update task set status = 'Running', status_code = 2 where id = 1");
        var before = await harbor.ScrapeAsync();
        await harbor.RestartAsync(Often);
        await harbor.ScrapeAsync();
        await harbor.Seed.ExecuteAsync("update task set status = 'Running', status_code = 2 where id = 2");
        var after = await harbor.ReconciledAsync();

        Assert.Equal(0, Open(before));
        Assert.Equal((2, 1, 0), (Open(after), after.Value("harbor_scan_reconciliation_drift_total", ("table", "task")), after.Value("harbor_scan_reconciliation_drift_total", ("table", "execution"))));
    }

    [Fact]
    public async Task With_the_optional_index_it_is_seen_at_once()
    {
        await using var harbor = await RememberingHarbor.StartAsync(async seed =>
        {
            await OldAsync(seed);
            await seed.ExecuteAsync("create index harbor_scan_task_open on task (id) where status in ('Pending', 'Scheduled', 'Running'); analyze task");
        });
        await harbor.Seed.ExecuteAsync("update task set status = 'Running', status_code = 2 where id = 1");
        var scrape = await harbor.ScrapeAsync();

        Assert.Equal((1, 0), (Open(scrape), scrape.Value("harbor_scan_scrape_whole_reads", ("table", "task"))));
        Assert.True(scrape.Value("harbor_scan_scrape_rows_read", ("table", "task")) < 20, scrape.Text);
    }

    [Fact]
    public async Task Tables_that_were_emptied_and_filled_again_are_read_anew()
    {
        await using var harbor = await RememberingHarbor.StartAsync(async seed =>
        {
            var execution = await seed.ExecutionAsync(started: TimeSpan.FromDays(2));
            await seed.TaskAsync(execution, created: TimeSpan.FromDays(2), copies: 50);
        });
        await harbor.Seed.ExecuteAsync("truncate task, execution restart identity cascade");
        var execution = await harbor.Seed.ExecutionAsync(started: TimeSpan.FromDays(2));
        await harbor.Seed.TaskAsync(execution, created: TimeSpan.FromDays(2), copies: 7);
        var failed = await harbor.ScrapeAsync();
        var scrape = await harbor.ScrapeAsync();

        Assert.Equal((0, 1, 7), (failed.Value("harbor_scan_up"), failed.Value("harbor_scan_collection_failures_total", ("reason", "reconciling")), Open(scrape)));
        Assert.DoesNotContain("harbor_scan_tasks", failed.Families);
    }

    [Fact]
    public async Task When_the_highest_rows_are_lost_their_ids_may_be_those_of_others()
    {
        await using var harbor = await RememberingHarbor.StartAsync(async seed =>
        {
            var execution = await seed.ExecutionAsync(status: "Success", started: TimeSpan.FromDays(2));
            await seed.TaskAsync(execution, status: "Success", created: TimeSpan.FromDays(2), copies: 20);
        });
        await harbor.Seed.ExecuteAsync("delete from task where id > 15; select setval('task_id_seq', 15)");
        Assert.Equal(0, Open(await harbor.ScrapeAsync()));
        await harbor.Seed.TaskAsync(1);

        Assert.Equal(1, Open(await harbor.ScrapeAsync()));
    }

    [Fact]
    public async Task The_tasks_of_a_new_scan_all_are_counted_from_its_start()
    {
        await using var harbor = await RememberingHarbor.StartAsync(async seed =>
        {
            var old = await seed.ExecutionAsync("SCAN_ALL", "Success", TimeSpan.FromDays(7));
            await seed.TaskAsync(old, "SCAN_ALL", "Success", created: TimeSpan.FromDays(7), copies: 30);
        });
        var before = await harbor.ScrapeAsync();
        var execution = await harbor.Seed.ExecutionAsync("SCAN_ALL");
        await harbor.Seed.TaskAsync(execution, "SCAN_ALL", copies: 4);
        await harbor.Seed.TaskAsync(execution, "SCAN_ALL", "Success");
        var after = await harbor.ScrapeAsync();

        Assert.Equal(30, before.Value("harbor_scan_all_tasks", ("status", "Success")));
        Assert.Equal((4, 1, 31), (after.Value("harbor_scan_all_tasks", ("status", "Pending")), after.Value("harbor_scan_all_tasks", ("status", "Success")), Tasks(after, "Success", "SCAN_ALL")));
    }

    [Fact]
    public async Task Rows_that_were_deleted_leave_the_counts_at_the_next_read_of_the_whole_table()
    {
        await using var harbor = await RememberingHarbor.StartAsync(OldAsync, changes: Often);
        await harbor.Seed.ExecuteAsync("delete from task where id <= 10");

        Assert.Equal(90, Tasks(await harbor.ReconciledAsync(), "Success"));
    }

    [Fact]
    public async Task What_a_sweep_of_Harbors_deleted_leaves_the_counts_as_soon_as_its_end_was_seen()
    {
        await using var harbor = await RememberingHarbor.StartAsync(async seed =>
        {
            var old = await seed.ExecutionAsync(status: "Success", started: TimeSpan.FromDays(3));
            await seed.TaskAsync(old, status: "Success", created: TimeSpan.FromDays(3), update: Seed.Ago(TimeSpan.FromDays(3)), end: Seed.Ago(TimeSpan.FromDays(3)), copies: 191);
        });
        var sweep = await harbor.Seed.ExecutionAsync("EXECUTION_SWEEP");
        Assert.Equal((191, 1), (Tasks(await harbor.ScrapeAsync(), "Success"), (await harbor.ScrapeAsync()).Value("harbor_scan_reconciliations_total")));

        await harbor.Seed.ExecuteAsync($"delete from task where id <= 190; update execution set status = 'Error' where id = {sweep}");
        var seen = await harbor.ScrapeAsync();
        await Eventually.HoldsAsync(async () => (await harbor.ScrapeAsync()).Value("harbor_scan_reconciliations_total") == 2, TimeSpan.FromSeconds(30), () => "No reconciliation came.");
        Assert.Equal((191, 1), (Tasks(seen, "Success"), Tasks(await harbor.ScrapeAsync(), "Success")));
        Assert.Equal(2, (await harbor.ScrapeAsync()).Value("harbor_scan_reconciliations_total"));
    }

    [Fact]
    public async Task A_code_that_is_mended_or_a_row_that_is_deleted_for_it_shows_at_the_next_scrape()
    {
        await using var harbor = await RememberingHarbor.StartAsync(async seed =>
        {
            var execution = await seed.ExecutionAsync(status: "Stopped", started: TimeSpan.FromDays(20));
            await seed.TaskAsync(execution, status: "Stopped", code: 0, created: TimeSpan.FromDays(20), copies: 3);
            await seed.TaskAsync(execution, status: "Stopped", created: TimeSpan.FromDays(20), copies: 100);
        });
        var before = await harbor.ScrapeAsync();
        await harbor.Seed.ExecuteAsync("update task set status_code = 3 where id = 1");
        var mended = await harbor.ScrapeAsync();
        await harbor.Seed.ExecuteAsync("delete from task where id = 2");
        var deleted = await harbor.ScrapeAsync();

        Assert.Equal((3, 2, 1), (Codes(before), Codes(mended), Codes(deleted)));
        Assert.Equal((103, 103, 102), (Tasks(before, "Stopped"), Tasks(mended, "Stopped"), Tasks(deleted, "Stopped")));
        Assert.Equal(0, deleted.Value("harbor_scan_tasks_finished_total", ("type", "IMAGE_SCAN"), ("status", "Stopped")));

        static double Codes(MetricsDocument scrape) => scrape.Value("harbor_scan_inconsistencies", ("type", "IMAGE_SCAN"), ("kind", "final_status_wrong_code"));
    }

    [Fact]
    public async Task What_was_read_before_the_deadline_is_answered()
    {
        await using var harbor = await RememberingHarbor.StartAsync(async seed =>
        {
            var execution = await seed.ExecutionAsync(started: TimeSpan.FromDays(3));
            await seed.TaskAsync(execution, created: TimeSpan.FromDays(3), extraAttributes: """{"report_uuids":["u"]}""");
        });
        // The deadline lies before the limit of a wait for a lock, and a busy machine may not come to the tasks before it.
        var scrape = await harbor.ScrapeAsync();
        await using (await ObservationGateTests.LockAsync(harbor.Harbor, "scan_report"))
        {
            for (var attempt = 0; attempt < 20; attempt++)
            {
                scrape = await harbor.Exporter.ScrapeAsync(0.95);
                if (scrape.Value("harbor_scan_collector_success", ("collector", "tasks")) == 1) break;
            }
        }

        Assert.Equal((0, 1), (scrape.Value("harbor_scan_up"), Tasks(scrape, "Pending")));
        Assert.Equal((1, 0), (scrape.Value("harbor_scan_collector_success", ("collector", "tasks")), scrape.Value("harbor_scan_collector_success", ("collector", "diagnosis"))));
    }

    [Fact]
    public async Task Robots_are_counted_when_the_whole_tables_are_read()
    {
        await using var harbor = await RememberingHarbor.StartAsync(seed => seed.RobotAsync(TimeSpan.FromDays(2)), changes: Often);
        await harbor.Seed.RobotAsync(TimeSpan.FromDays(3));

        Assert.Equal(2, (await harbor.ReconciledAsync()).Value("harbor_scan_leaked_robots"));
    }

    [Fact]
    public async Task Open_rows_are_told_while_a_collector_of_whole_tables_is_still_reading_them_for_the_first_time_and_it_is_not_begun_twice()
    {
        await using var database = await TestHarbor.CreateAsync("2.11.0");
        var seed = new Seed(database);
        await seed.TaskAsync(await seed.ExecutionAsync());
        await seed.RobotAsync(TimeSpan.FromDays(2));
        // Robots are read for as long as this connection is open.
        await using var slow = await database.Database.OpenAsync();
        await using (var hold = new NpgsqlCommand($"""
            select pg_advisory_lock(1);
            create function wait() returns boolean language plpgsql as $$
            begin
                while not pg_try_advisory_xact_lock_shared(1) loop perform pg_sleep(0.02); end loop;
                return true;
            end $$;
            alter table robot rename to slow_robot;
            create view robot as select r.* from slow_robot r, (select wait()) slow;
            grant select on robot to {database.Role};
            """, slow))
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var time = new WaitedTime();
        await using var exporter = await RunningExporter.StartAsync(database, time, (Setting.Names.ReconciliationInterval, "1h"));
        var first = await ScrapeAsync();
        var scrapes = 1;
        // A busy machine may take longer for the two tables than the first scrape waits.
        for (; scrapes < 10 && first.Value("harbor_scan_collector_success", ("collector", "tasks")) == 0; scrapes++) first = await ScrapeAsync();
        await slow.CloseAsync();
        var scrape = first;
        for (var attempt = 0; attempt < 100 && scrape.Value("harbor_scan_up") == 0; attempt++) scrape = await ScrapeAsync();
        await time.HasBegunAsync(TimeSpan.FromHours(1), 1);
        // Longer than what is wanted is put off.
        time.Advance(TimeSpan.FromSeconds(6));
        var later = await ScrapeAsync();
        // What is wanted would be waited for in breaths.
        Assert.Equal((1, 0), (time.Begun(TimeSpan.FromHours(1)), time.Begun(TimeSpan.FromMilliseconds(200))));

        Assert.Equal((0, 0, 1), (first.Value("harbor_scan_up"), first.Value("harbor_scan_collector_success", ("collector", "robots")), Tasks(first, "Pending")));
        Assert.Equal((1, scrapes), (first.Value("harbor_scan_collector_success", ("collector", "tasks")), first.Value("harbor_scan_collection_failures_total", ("reason", "reconciling"))));
        Assert.DoesNotContain("harbor_scan_leaked_robots", first.Families);
        Assert.Equal((1, 1, 1), (scrape.Value("harbor_scan_up"), scrape.Value("harbor_scan_leaked_robots"), later.Value("harbor_scan_reconciliations_total")));

        // It waits for the first reading of the tables by its own clock.
        async Task<MetricsDocument> ScrapeAsync()
        {
            var answer = exporter.ScrapeAsync();
            var step = TimeSpan.FromMilliseconds(50);
            while (await Task.WhenAny(answer, Task.Delay(step, TestContext.Current.CancellationToken)) != answer) time.Advance(step);
            return await answer;
        }
    }

    private static async Task OldAsync(Seed seed)
    {
        var execution = await seed.ExecutionAsync(status: "Success", started: TimeSpan.FromDays(20));
        await seed.TaskAsync(execution, status: "Success", created: TimeSpan.FromDays(20), copies: 100);
    }
}

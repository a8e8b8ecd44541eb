using HarborScanExporter.Database.Grants;
using HarborScanExporter.Database.Queries;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Verification;
using HarborScanExporter.Tests.Support;


namespace HarborScanExporter.Tests.Remediation.Audit;

/// <summary>Which lines of the audit speak for the caps, for the breaker, of a thing, of an open intent, and of a look that is due.</summary>
public sealed class AuditRowsTests
{
    private const string Line = "update harbor_scan.repair set ";

    [Fact]
    public async Task Of_the_last_hours()
    {
        await using var harbor = await AuditedAsync();
        var rows = new DecidedRows(harbor, () => new AuditSeed(harbor).AddAsync("finish_task"));
        (string Row, string Change, string Expected)[] shared =
        [
            ("done", "", "1 0 0"),
            ("intended", Line + "state = 'intended'", "1 0 0"),
            ("without effect", Line + "state = 'no_effect'", "1 0 0"),
            ("taken back", Line + "state = 'undone'", "1 0 0"),
            ("an undo", Line + "action = 'undo'", "0 0 0"),
            ("within the hour", Line + "at = clock_timestamp() - interval '59 minutes 50 seconds'", "1 0 0"),
            ("before the hour", Line + "at = clock_timestamp() - interval '60 minutes 1 second'", "0 0 0"),
            ("failed", Line + "state = 'failed', failure = 'lost_race'", "0 1 0"),
            ("failed within the hour", Line + "state = 'failed', failure = 'lost_race', at = clock_timestamp() - interval '59 minutes 50 seconds'", "0 1 0"),
            ("failed before the hour", Line + "state = 'failed', failure = 'lost_race', at = clock_timestamp() - interval '60 minutes 1 second'", "0 0 0"),
            ("failed for a lock", Line + "state = 'failed', failure = 'locked'", "0 0 0"),
            ("interrupted", Line + "state = 'failed', failure = 'interrupted'", "0 0 0"),
            ("paused", Line + "state = 'failed', failure = 'paused'", "0 0 0"),
            ("done after all", Line + "failure = 'lost_race'", "1 0 0"),
            ("held", Line + "verification = 'held'", "1 0 0"),
            ("reverted", Line + "verification = 'reverted'", "1 0 1"),
            ("reverted within three hours", Line + "verification = 'reverted', at = clock_timestamp() - interval '179 minutes 50 seconds'", "0 0 1"),
            ("reverted before", Line + "verification = 'reverted', at = clock_timestamp() - interval '180 minutes 1 second'", "0 0 0"),
        ];
        await rows.ReadAsync(async (snapshot, token) => await RepairAuditLookup.OfLateAsync(snapshot, token) is var late ? $"{late.Repaired} {late.Failed} {late.Reverted}" : "", shared);
        await rows.RepairAsync(async (transaction, token) => await AuditTable.HistoryAsync(transaction, [], [], [], token) is var past ? $"{past.LastHour} {past.FailedLastHour} {past.RevertedLately}" : "", shared);
        await rows.RepairAsync(async (transaction, token) => (await AuditTable.HistoryAsync(transaction, [], [], [], token)).LastDay,
            ("done", "", 1L),
            ("failed", Line + "state = 'failed'", 0L),
            ("an undo", Line + "action = 'undo'", 0L),
            ("within the day", Line + "at = clock_timestamp() - interval '23 hours 59 minutes'", 1L),
            ("before the day", Line + "at = clock_timestamp() - interval '24 hours 1 second'", 0L));
        await rows.RepairAsync(async (transaction, token) => (await AuditTable.HistoryAsync(transaction, [], [], [], token)).NewestOwnSuccess,
            ("of another status", Line + "status = 'Error', ended_at = '2026-09-21 12:00:00+00'", null),
            ("of another action", Line + "action = 'fix_status_code', status = 'Success', ended_at = '2026-09-21 12:00:00+00'", null),
            ("Success", Line + "status = 'Success', ended_at = '2026-09-21 12:00:00+00'", (double?)1_789_992_000));
        await rows.ReadAsync(async (snapshot, token) => (await RepairAuditLookup.OfLateAsync(snapshot, token)).NewestRun is not null,
            ("a run", "", true),
            ("an undo", Line + "action = 'undo'", false),
            ("a look at a repair", Line + "source = 'verification'", false));
    }

    [Fact]
    public async Task Of_all_times()
    {
        await using var harbor = await AuditedAsync();
        var rows = new DecidedRows(harbor, () => new AuditSeed(harbor).AddAsync("finish_task", "failed", "locked", "held"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await RepairAuditLookup.CountsAsync(snapshot, token)).Select(count => $"{count.Action}:{count.State}:{count.Failure}:{count.Verification}:{count.Lines}")),
            ("a line", "", "finish_task:failed:locked:held:1"),
            ("without a failure and a look", Line + "failure = null, verification = null", "finish_task:failed:::1"),
            ("counted and gone", "delete from harbor_scan.repair; insert into harbor_scan.repair_total values ('undo', 'done', '', '', 7)", "undo:done:::7"),
            ("counted", Line + "counted = true; insert into harbor_scan.repair_total values ('finish_task', 'failed', 'locked', 'held', 7)", "finish_task:failed:locked:held:7"),
            ("some counted", "insert into harbor_scan.repair_total values ('finish_task', 'failed', 'locked', 'held', 7)", "finish_task:failed:locked:held:8"));
    }

    [Fact]
    public async Task Of_a_thing()
    {
        await using var harbor = await AuditedAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, async () =>
        {
            await seed.ExecutionAsync(id: 2);
            await new AuditSeed(harbor).AddAsync("finish_task");
            await seed.ExecuteAsync(Line + "task_id = 1, execution_id = 2, robot_id = 3");
        });
        await rows.RepairAsync(async (transaction, _) =>
                $"{await CountAsync(transaction, [1], [], [])} {await CountAsync(transaction, [], [2], [])} {await CountAsync(transaction, [], [], [3])} {await CountAsync(transaction, [7], [7], [7])}",
            ("of a task", "", "1 0 0 0"),
            ("of an execution", Line + "task_id = null, robot_id = null", "0 1 0 0"),
            ("of a robot", Line + "task_id = null, execution_id = null", "0 0 1 0"));
        // What a person took back forbids another try until somebody has written the execution since.
        const string undone = "update harbor_scan.repair set task_id = null, state = 'undone'; insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, execution_id, undo_of, after) values ('r', 'api', 'a', 'undo', 'done', '', '[]', 2, 1, '{\"execution\": {\"revision\": 4}}');";
        await rows.RepairAsync(async (transaction, token) => (await AuditTable.HistoryAsync(transaction, [1], [2], [3], token)).OfCandidates[0].HasMovedOn,
            ("as the undo left it", undone + "update execution set revision = 4", false),
            ("written since", undone + "update execution set revision = 5", true),
            ("without a revision", undone + "update execution set revision = null", true),
            ("gone", undone + "delete from execution", false),
            ("not taken back", undone + "update execution set revision = 5; update harbor_scan.repair set state = 'done'", false),
            ("of a task", undone + "update execution set revision = 5; update harbor_scan.repair set task_id = 1", false),
            ("another was taken back", undone + "update execution set revision = 5; update harbor_scan.repair set undo_of = null", false),
            ("of another execution", undone + "insert into execution (id, vendor_type, trigger, revision) values (7, 'IMAGE_SCAN', 'MANUAL', 4); update execution set revision = 5; update harbor_scan.repair set execution_id = 7 where undo_of = 1", false));

        static async Task<int> CountAsync(RepairTransaction transaction, long[] tasks, long[] executions, long[] robots) =>
            (await AuditTable.HistoryAsync(transaction, tasks, executions, robots, TestContext.Current.CancellationToken)).OfCandidates.Count;
    }

    [Fact]
    public async Task Of_an_open_intent()
    {
        await using var harbor = await AuditedAsync();
        var rows = new DecidedRows(harbor, () => new AuditSeed(harbor).AddAsync("stop_job", "intended", ago: TimeSpan.FromMinutes(3)));
        await rows.RepairAsync(async (transaction, token) => (await AuditTable.OpenIntentsAsync(transaction, TimeSpan.FromMinutes(2), token)).Count,
            ("old enough", "", 1),
            ("just old enough", Line + "at = clock_timestamp() - interval '120 seconds'", 1),
            ("younger", Line + "at = clock_timestamp() - interval '110 seconds'", 0),
            ("done", Line + "state = 'done'", 0));
        await rows.RepairAsync(async (transaction, token) => await AuditTable.YoungestIntentAsync(transaction, token) is { } age ? Math.Floor(age / 60) : -1,
            ("the youngest", "insert into harbor_scan.repair (at, run, source, actor, action, state, verdict, evidence, task_id) select at - interval '5 minutes', run, source, actor, action, state, verdict, evidence, 7 from harbor_scan.repair", 3d),
            ("a younger line that is none", "insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence) values ('r', 'api', 'a', 'stop_job', 'done', '', '[]')", 3d),
            ("none", Line + "state = 'done'", -1d));
        // Only an intent without an outcome takes one.
        await rows.RepairAsync(async (transaction, token) => await AuditTable.EndAsync(transaction, 1, RepairState.Failed, "locked", null, token),
            ("open", "", true),
            ("ended", Line + "state = 'no_effect'", false),
            ("another", Line + "state = 'done'; insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence) values ('r', 'api', 'a', 'stop_job', 'intended', '', '[]')", false));
    }

    [Fact]
    public async Task Of_a_look_that_is_due()
    {
        await using var harbor = await AuditedAsync();
        var rows = new DecidedRows(harbor, async () =>
        {
            await new AuditSeed(harbor).AddAsync("finish_task");
            await new Seed(harbor).ExecuteAsync(Line + "checks = 0, ended_at = clock_timestamp() - interval '61 seconds'");
        });
        await rows.RepairAsync(async (transaction, token) => (await DueCheck.ReadAsync(transaction, 0, 10, token)).Count,
            ("after a minute", "", 1),
            ("before", Line + "ended_at = clock_timestamp() - interval '55 seconds'", 0),
            ("a second look before seventy minutes", Line + "checks = 1, ended_at = clock_timestamp() - interval '69 minutes 50 seconds'", 0),
            ("a second look after them", Line + "checks = 1, ended_at = clock_timestamp() - interval '70 minutes 1 second'", 1),
            ("a third", Line + "checks = 2, ended_at = clock_timestamp() - interval '1 day'", 0),
            ("stopped", Line + "action = 'stop_job'", 1),
            ("an execution refreshed", Line + "action = 'refresh_execution'", 1),
            ("an execution closed", Line + "action = 'close_empty_execution'", 1),
            ("a code mended", Line + "action = 'fix_status_code'", 1),
            ("a robot removed", Line + "action = 'delete_robot'", 0),
            ("scanned again", Line + "action = 'rescan'", 0),
            ("removed", Line + "action = 'sweep'", 0),
            ("an undo", Line + "action = 'undo'", 0),
            ("intended", Line + "state = 'intended'", 0),
            ("failed", Line + "state = 'failed'", 0),
            ("without effect", Line + "state = 'no_effect'", 0),
            ("taken back", Line + "state = 'undone'", 0));
        await rows.RepairAsync(async (transaction, token) => (await DueCheck.ReadAsync(transaction, 1, 10, token)).Count,
            ("not after that line", "", 0));
        await rows.RepairAsync(async (transaction, token) => await DueCheck.NextAsync(transaction, token) is { } seconds ? Math.Floor(seconds / 60) : double.NaN,
            ("a first look in half a minute", Line + "ended_at = clock_timestamp() - interval '30 seconds'", 0d),
            ("a second in an hour", Line + "checks = 1, ended_at = clock_timestamp() - interval '9 minutes 30 seconds'", 60d),
            ("the nearer of two", Line + "checks = 1, ended_at = clock_timestamp() - interval '9 minutes 30 seconds'; insert into harbor_scan.repair (run, source, actor, action, state, verdict, evidence, ended_at) values ('r', 'api', 'a', 'finish_task', 'done', '', '[]', clock_timestamp() - interval '30 seconds')", 0d),
            ("none", Line + "checks = 2", double.NaN));
        await rows.RepairAsync(async (transaction, token) => await (await DueCheck.ReadAsync(transaction, 0, 10, token)).Single().EndAsync(transaction, Seen.Held, token)
                ? await WrittenAsync(transaction) : "", ("seen", "", "1 held done"));

        async Task<string> WrittenAsync(RepairTransaction transaction)
        {
            await using var command = new Npgsql.NpgsqlCommand("select concat_ws(' ', checks, verification, state) from harbor_scan.repair", transaction.Connection, transaction.Transaction);
            return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        }
    }

    [Fact]
    public void The_index_of_looks_that_are_due_is_of_the_lines_that_are_looked_at()
    {
        var script = string.Join(' ', RoleScript.Text(RoleScript.RemediationRole).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains($"create index if not exists repair_unverified on harbor_scan.repair (ended_at) where {DueCheck.Verifiable};", script, StringComparison.Ordinal);
        Assert.Contains($"at < now() - interval '30 days' or not ( {DueCheck.Verifiable})", script, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_what_is_counted_for_good()
    {
        await using var harbor = await AuditedAsync();
        var rows = new DecidedRows(harbor, () => new AuditSeed(harbor).AddAsync("finish_task"));
        (string, string, long)[] cases =
        [
            ("looked at twice", "", 1),
            ("to be looked at", Line + "checks = 1", 0),
            ("to be looked at, and thirty days old", Line + "checks = 0, at = now() - interval '30 days 1 minute'", 1),
            ("to be looked at, and less than thirty days old", Line + "checks = 0, at = now() - interval '29 days 23 hours'", 0),
            ("intended", Line + "state = 'intended'", 0),
            ("intended long ago", Line + "state = 'intended', at = now() - interval '1 year'", 0),
            ("counted", Line + "counted = true", 0),
            ("failed", Line + "checks = 0, state = 'failed'", 1),
            ("stopped and to be looked at", Line + "checks = 0, action = 'stop_job'", 0),
            ("refreshed and to be looked at", Line + "checks = 0, action = 'refresh_execution'", 0),
            ("closed and to be looked at", Line + "checks = 0, action = 'close_empty_execution'", 0),
            ("mended and to be looked at", Line + "checks = 0, action = 'fix_status_code'", 0),
            ("a robot removed", Line + "checks = 0, action = 'delete_robot'", 1),
        ];
        await rows.RepairAsync((transaction, token) => AuditTotals.CountAsync(transaction, 10, token), cases);
        await rows.RepairAsync(async (transaction, token) => await AuditTotals.IsAnyAsync(transaction, token) ? 1L : 0, cases);
        // The SQL that is run anew counts the same.
        await rows.ReadAsync(async (_, _) =>
        {
            await harbor.GrantRemediationAsync();
            return await harbor.Database.ScalarAsync<long>("select coalesce(sum(lines), 0)::bigint from harbor_scan.repair_total");
        }, cases);
    }

    private static async Task<TestHarbor> AuditedAsync()
    {
        var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        return harbor;
    }
}

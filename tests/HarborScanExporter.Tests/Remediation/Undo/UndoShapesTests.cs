using System.Globalization;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Undo;
using Microsoft.Extensions.DependencyInjection;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Remediation.Undo;

/// <summary>An undo restores each column to the byte, whatever Harbor or another tool had written there.</summary>
public sealed class UndoShapesTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>Both writers' precisions, both encodings of an empty time, and what no Harbor writes.</summary>
    private static readonly string[] Times =
    [
        "null", ZeroTime, "date_trunc('second', now() at time zone 'utc' - interval '4 hours')", "now() at time zone 'utc' - interval '4 hours' + interval '1 microsecond'",
        "'infinity'::timestamp", "'-infinity'::timestamp", "'0044-03-15 12:00:00.000001 BC'::timestamp",
    ];

    private int _jobs;

    public static TheoryData<string> Releases => ["2.2.0", "2.16.0"];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Lost_scans_of_every_status_and_shape_of_time_come_back_to_the_byte(string release)
    {
        await using var harbor = await RepairingHarbor.StartAsync(release);
        foreach (var status in new[] { "Pending", "Scheduled", "Running" })
        {
            foreach (var update in Times)
            {
                foreach (var (end, message) in Times.Zip(["null", "''", "'left by hand: \"quoted\", \\\\, ü'", "''", "''", "''", "''"]))
                {
                    var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour, end: end, update: update);
                    var task = await harbor.Seed.TaskAsync(execution, status: status, created: 5 * Hour, update: update, end: end, jobId: Job(),
                        revision: status == "Pending" ? "null" : RevisionAgo(5 * Hour));
                    await harbor.Seed.ExecuteAsync($"update task set status_message = {message} where id = {task}");
                    await harbor.Seed.ExecuteAsync($"update execution set status_message = {message}, revision = nullif(id % 3, 0) where id = {execution}");
                }
            }
        }
        await AssertRoundTripAsync(harbor, "finish_task", 3 * Times.Length * Times.Length);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Final_rows_of_every_wrong_code_and_shape_of_time_come_back_to_the_byte(string release)
    {
        await using var harbor = await RepairingHarbor.StartAsync(release);
        foreach (var (status, code) in new[] { ("Error", 0), ("Stopped", 1), ("Success", 2), ("Stopped", -1) })
        {
            foreach (var update in Times)
            {
                foreach (var end in Times)
                {
                    var execution = await harbor.Seed.ExecutionAsync(status: status, started: 5 * Hour, end: end);
                    await harbor.Seed.TaskAsync(execution, status: status, code: code, created: 5 * Hour, update: update, end: end, jobId: Job());
                }
            }
        }
        await AssertRoundTripAsync(harbor, "fix_status_code", 4 * Times.Length * Times.Length);
    }

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Executions_that_were_not_refreshed_or_never_got_a_task_come_back_to_the_byte(string release)
    {
        await using var harbor = await RepairingHarbor.StartAsync(release);
        foreach (var end in Times)
        {
            var stale = await harbor.Seed.ExecutionAsync(started: 5 * Hour, end: end);
            await harbor.Seed.TaskAsync(stale, status: "Success", created: 5 * Hour, end: Ago(4 * Hour), jobId: Job());
            var empty = await harbor.Seed.ExecutionAsync("SCAN_ALL", started: 5 * Hour, end: end);
            await harbor.Seed.ExecuteAsync($"update execution set status_message = 'left by hand' where id in ({stale}, {empty})");
        }
        await AssertRoundTripAsync(harbor, "close_empty_execution refresh_execution", 2 * Times.Length);
    }

    [Fact]
    public async Task Attributes_that_no_cast_could_read_do_not_keep_a_row_from_coming_back()
    {
        // From 2.8.1 on an index casts them, so that no such row gets in.
        await using var harbor = await RepairingHarbor.StartAsync("2.2.0");
        var execution = await harbor.Seed.ExecutionAsync(started: 5 * Hour, extraAttributes: """{"note":"a\u0000b"}""");
        await harbor.Seed.TaskAsync(execution, created: 5 * Hour, jobId: Job(), extraAttributes: """{"artifact_id":1,"note":"a\u0000b \ud83d"}""");
        await AssertRoundTripAsync(harbor, "finish_task", 1);
    }

    /// <summary>Repairs everything, takes everything back in an order that is not that of the repairs, and compares all rows.</summary>
    private static async Task AssertRoundTripAsync(RepairingHarbor harbor, string actions, int repairs)
    {
        var (tasks, executions, revisions) = (await RowTexts.TasksAsync(harbor.Harbor), await RowTexts.ExecutionsAsync(harbor.Harbor), await RowTexts.RevisionsAsync(harbor.Harbor));
        await harbor.SeeTwiceAsync();
        var result = await harbor.RunAsync(overrideShare: true);
        Assert.Null(result.Problem);
        Assert.Equal(repairs, await harbor.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair where state = 'done'"));
        Assert.Equal(actions, await harbor.Harbor.Database.ScalarAsync<string>("select string_agg(distinct action, ' ' order by action) from harbor_scan.repair"));
        Assert.NotEqual((tasks, executions), (await RowTexts.TasksAsync(harbor.Harbor), await RowTexts.ExecutionsAsync(harbor.Harbor)));
        var repaired = await RowTexts.RevisionsAsync(harbor.Harbor);

        var undoing = harbor.Pieces.GetRequiredService<Undoing>();
        foreach (var id in result.Outcomes.Select(outcome => outcome.Audit!.Value).Order().Reverse())
            Assert.Equal((true, null), Told(await undoing.UndoAsync(id, new Asker(RunSource.Command, "test"), TestContext.Current.CancellationToken)));

        Assert.Equal(tasks, await RowTexts.TasksAsync(harbor.Harbor));
        Assert.Equal(executions, await RowTexts.ExecutionsAsync(harbor.Harbor));
        Assert.Equal(Risen(revisions, 1), repaired);
        Assert.Equal(Risen(revisions, 2), await RowTexts.RevisionsAsync(harbor.Harbor));
        Assert.Equal(repairs, await harbor.Harbor.Database.ScalarAsync<long>("""
            select count(*) from harbor_scan.repair u join harbor_scan.repair r on r.id = u.undo_of
            where u.action = 'undo' and u.state = 'done' and r.state = 'undone' and u.task_id is not distinct from r.task_id
            """));
    }

    private static (bool, string?) Told(UndoResult result) => (result.Done, result.Problem);

    private static string Risen(string revisions, int by) => string.Join(' ', revisions.Split(' ').Select(revision =>
        ((revision == "null" ? 0 : int.Parse(revision, CultureInfo.InvariantCulture)) + by).ToString(CultureInfo.InvariantCulture)));

    private string Job() => (++_jobs).ToString("x24", CultureInfo.InvariantCulture);
}

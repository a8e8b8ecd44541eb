using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Database;

/// <summary>
/// Which rows show that core accepted a status hook is written three times: over the whole table, over the newest rows of other jobs, and over rows
/// that are in memory. One table of rows, each of which one clause alone decides, and all three agree on it.
/// </summary>
public sealed class HookRowsTests
{
    /// <summary>The beginning of a bucket of ten minutes.</summary>
    private const double Now = 1_789_992_000;

    private static readonly (string Row, string Status, int Code, string Revision, string Updated, long Mask)[] Rows =
    [
        ("a hook of now", "Running", 2, "1", At(0), 1),
        ("a hook of the bucket before", "Success", 3, "1", At(-1), 0b10),
        ("a hook of an hour ago", "Error", 3, "1", At(-3600), 1 << 6),
        ("the oldest bucket", "Success", 3, "1", At(-62 * 600), 1L << 62),
        ("older than the oldest bucket", "Success", 3, "1", At(-62 * 600 - 1), 0),
        ("ahead of the clock by less than five minutes", "Success", 3, "1", At(299), 1),
        ("ahead of the clock by five minutes", "Success", 3, "1", At(300), 0),
        ("never confirmed", "Running", 2, "0", At(0), 0),
        ("confirmed never: no revision", "Running", 2, "null", At(0), 0),
        ("written by an API stop, in microseconds", "Stopped", 3, "1", At(-0.25), 0),
        ("stopped by a hook", "Stopped", 3, "1", At(0), 1),
        ("stopped with its queue: its code is that of a waiting job", "Stopped", 0, "1", At(0), 0),
        ("stopped with its queue while it ran", "Stopped", 2, "1", At(0), 0),
        ("another word with a low code", "Error", 2, "1", At(0), 1),
        ("without a time", "Running", 2, "1", "null", 0),
        ("Harbor's empty time", "Running", 2, "1", Seed.ZeroTime, 0),
        ("an infinite time", "Running", 2, "1", "'infinity'", 0),
    ];

    public static TheoryData<string> Names => [.. Rows.Select(row => row.Row)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task All_three_agree(string name)
    {
        var row = Rows.Single(one => one.Row == name);
        await using var harbor = await TestHarbor.CreateAsync();
        await using var database = new HarborDatabase(SettingsReader.Read(harbor.Environment(), new Dictionary<string, string>()).Settings!.Database, TimeSpan.FromSeconds(30));
        var seed = new Seed(harbor);
        var other = await seed.TaskAsync(await seed.ExecutionAsync("REPLICATION"), "REPLICATION", row.Status, row.Code, row.Revision, update: row.Updated);
        await using (var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken))
        {
            Assert.Equal(row.Mask, (await TaskPass.ReadAsync(snapshot, Now, 0, FinishedSince.Never, TestContext.Current.CancellationToken)).Hooks);
            Assert.Equal(row.Mask, await ActiveTaskLookup.HooksOfOthersAsync(snapshot, other - 1, Now, TestContext.Current.CancellationToken));
            // Only rows above the id are read, and scans are not among them.
            Assert.Equal(0, await ActiveTaskLookup.HooksOfOthersAsync(snapshot, other, Now, TestContext.Current.CancellationToken));
        }
        await harbor.Database.ExecuteAsync("update task set vendor_type = 'IMAGE_SCAN'; update execution set vendor_type = 'IMAGE_SCAN'");
        await using (var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken))
        {
            Assert.Equal(row.Mask, (await TaskPass.ReadAsync(snapshot, Now, 0, FinishedSince.Never, TestContext.Current.CancellationToken)).Hooks);
            Assert.Equal(0, await ActiveTaskLookup.HooksOfOthersAsync(snapshot, other - 1, Now, TestContext.Current.CancellationToken));
            var scan = Assert.Single(await ActiveTaskLookup.ReadAsync(snapshot, IdRanges.Of([other], 16), IdRanges.None, new RowAddresses<long>(), TestContext.Current.CancellationToken));
            Assert.Equal(row.Mask, HookActivity.BitOf(scan, Now));
        }
    }

    private static string At(double seconds) => FormattableString.Invariant($"to_timestamp({Now + seconds}) at time zone 'utc'");
}

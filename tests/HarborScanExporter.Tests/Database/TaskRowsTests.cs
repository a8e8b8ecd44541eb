using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Database;

/// <summary>Each column of a task comes out as itself, by the read of the whole table and by key: no two of these values are equal.</summary>
public sealed class TaskRowsTests
{
    private const double Now = 1_789_992_000;

    public static TheoryData<string, int> Statuses => new()
    {
        { "Pending", 0 }, { "Scheduled", 1 }, { "Running", 2 },
    };

    [Theory]
    [MemberData(nameof(Statuses))]
    public async Task An_open_task_is_read_the_same_in_both_ways(string status, int code)
    {
        foreach (var type in ScanType.All)
        {
            await using var harbor = await TestHarbor.CreateAsync();
            var (database, task) = await SeedAsync(harbor, type, status, code);
            await using var _ = database;
            await using var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            var whole = Assert.Single((await TaskPass.ReadAsync(snapshot, Now, 0, FinishedSince.Never, TestContext.Current.CancellationToken)).OpenRows);
            var byKey = Assert.Single(await ActiveTaskLookup.ReadAsync(snapshot, IdRanges.Of([task], 16), IdRanges.None, new RowAddresses<long>(), TestContext.Current.CancellationToken));
            var finished = Assert.Single(await ActiveTaskLookup.ReadAsync(snapshot, IdRanges.None, IdRanges.Of([task], 16), new RowAddresses<long>(), TestContext.Current.CancellationToken));
            var byJob = Assert.Single(await ActiveTaskLookup.ByJobAsync(snapshot, ["d318c1b17dff242a33f02544"], TestContext.Current.CancellationToken));
            foreach (var read in new[] { whole, byKey, finished, byJob })
            {
                Assert.Equal((task, type, status, (long)code, 77L, 5L, "d318c1b17dff242a33f02544"), (read.Id, read.Type, read.Status, read.StatusCode, read.StatusRevision, read.RunCount, read.JobId));
                Assert.Equal((Now - 400, Now - 300, Now - 200), (read.Created, read.Started, read.Updated));
            }
            Assert.Equal(Now - 100, byKey.Ended);
        }
    }

    [Theory]
    [InlineData("Success", 3, false)]
    [InlineData("Error", 3, false)]
    [InlineData("Stopped", 3, false)]
    [InlineData("Success", 2, true)]
    [InlineData("Error", 0, true)]
    [InlineData("Stopped", 1, true)]
    [InlineData("Strange", 2, true)]
    public async Task A_task_that_is_over_is_not_open_and_its_low_code_is_seen(string status, int code, bool isLow)
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var (database, task) = await SeedAsync(harbor, ScanType.ImageScan, status, code);
        await using var _ = database;
        await using var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        var pass = await TaskPass.ReadAsync(snapshot, Now, 0, FinishedSince.Never, TestContext.Current.CancellationToken);
        Assert.Empty(pass.OpenRows);
        Assert.Equal(isLow ? 1 : 0, pass.Scans.Sum(group => group.LowCodeExecutions.Count));
        Assert.Empty(await ActiveTaskLookup.ReadAsync(snapshot, IdRanges.None, IdRanges.Of([task], 16), new RowAddresses<long>(), TestContext.Current.CancellationToken));
        var execution = Assert.Single(await ActiveTaskLookup.ReadAsync(snapshot, IdRanges.Of([task], 16), IdRanges.None, new RowAddresses<long>(), TestContext.Current.CancellationToken)).ExecutionId;
        var wrong = await WrongCodeLookup.ReadAsync(snapshot, [execution], 0, 10, TestContext.Current.CancellationToken);
        Assert.Equal(isLow && status != "Strange" ? new[] { task } : [], wrong.Select(row => row.Id));
        // A look goes on after the last id that it took.
        Assert.Empty(await WrongCodeLookup.ReadAsync(snapshot, [execution], task, 10, TestContext.Current.CancellationToken));
        Assert.Empty(await WrongCodeLookup.ReadAsync(snapshot, [execution + 1], 0, 10, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Tasks_of_other_kinds_are_none_of_ours()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var (database, task) = await SeedAsync(harbor, "REPLICATION", "Running", 2);
        await using var _ = database;
        await using var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        var pass = await TaskPass.ReadAsync(snapshot, Now, 0, FinishedSince.Never, TestContext.Current.CancellationToken);
        Assert.Empty(pass.OpenRows);
        Assert.Empty(pass.Scans);
        Assert.Empty(await ActiveTaskLookup.ReadAsync(snapshot, IdRanges.Of([task], 16), IdRanges.Of([task], 16), new RowAddresses<long>(), TestContext.Current.CancellationToken));
        Assert.Empty(await ActiveTaskLookup.ByJobAsync(snapshot, ["d318c1b17dff242a33f02544"], TestContext.Current.CancellationToken));
    }

    private static async Task<(HarborDatabase Database, long Task)> SeedAsync(TestHarbor harbor, string type, string status, int code)
    {
        var seed = new Seed(harbor);
        // Ids that differ from each other and from every other number here.
        await harbor.Database.ExecuteAsync("select setval('task_id_seq', 41000)");
        var task = await seed.TaskAsync(await seed.ExecutionAsync(type, id: 9300), type, status, code, "77", 5, start: At(-300), update: At(-200), end: At(-100), creation: At(-400));
        var settings = SettingsReader.Read(harbor.Environment(), new Dictionary<string, string>()).Settings!;
        return (new HarborDatabase(settings.Database, TimeSpan.FromSeconds(30)), task);
    }

    private static string At(double seconds) => FormattableString.Invariant($"to_timestamp({Now + seconds}) at time zone 'utc'");
}

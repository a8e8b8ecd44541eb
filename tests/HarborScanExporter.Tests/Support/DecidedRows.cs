using HarborScanExporter.Database.Session;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;


namespace HarborScanExporter.Tests.Support;

/// <summary>
/// A table of rows of which each differs from one that is read in one thing alone, so that one clause decides it. Before each, the tables are emptied
/// and filled anew.
/// </summary>
/// <param name="harbor">The Harbor; its audit must be there.</param>
/// <param name="seed">Fills the tables.</param>
internal sealed class DecidedRows(TestHarbor harbor, Func<Task> seed)
{
    /// <summary>Reads after each change of the rows as a scrape or a look reads, and tells all that is not as expected.</summary>
    public async Task ReadAsync<T>(Func<Snapshot, CancellationToken, Task<T>> read, params (string Row, string Change, T Expected)[] rows)
    {
        var settings = SettingsReader.Read(harbor.Environment(), new Dictionary<string, string>()).Settings!;
        await using var database = new HarborDatabase(settings.Database, TimeSpan.FromSeconds(30));
        await EachAsync(rows, async () =>
        {
            await using var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
            return await read(snapshot, TestContext.Current.CancellationToken);
        });
    }

    /// <summary>The same by the repairing role; what is written is committed.</summary>
    public async Task RepairAsync<T>(Func<RepairTransaction, CancellationToken, Task<T>> use, params (string Row, string Change, T Expected)[] rows)
    {
        var settings = SettingsReader.Read(harbor.RemediationEnvironment(("HARBOR_REDIS_URL", "redis://127.0.0.1:1/1")), new Dictionary<string, string>()).Settings!;
        await using var database = new RepairDatabase(settings.Database, settings.Remediation);
        await EachAsync(rows, async () =>
        {
            await using var transaction = await database.BeginAsync(TestContext.Current.CancellationToken);
            var seen = await use(transaction, TestContext.Current.CancellationToken);
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
            return seen;
        });
    }

    private async Task EachAsync<T>((string Row, string Change, T Expected)[] rows, Func<Task<T>> see)
    {
        List<string> wrong = [];
        foreach (var (row, change, expected) in rows)
        {
            await harbor.Database.ExecuteAsync("truncate task, execution, robot, artifact, scan_report, harbor_scan.repair, harbor_scan.repair_total restart identity cascade");
            await seed();
            if (change.Length > 0) await harbor.Database.ExecuteAsync(change);
            var seen = await see();
            if (!Equals(expected, seen)) wrong.Add($"{row}: {seen} and not {expected}");
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }
}

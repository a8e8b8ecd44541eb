using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Metrics;
using HarborScanExporter.Tests.Observation;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Remediation.Execution;

/// <summary>Each statement of a repair is held by a lock and must let go when it is cancelled: a run ends before its next step.</summary>
public sealed class RepairCancellationTests
{
    private const string Audit = "harbor_scan.repair";

    private static readonly Fence Fence = new("Pending", 0, 0, 1);

    private static readonly AuditLine Line = new()
    {
        Run = "1", Asker = new Asker(RunSource.Command, "test"), Action = "finish_task", State = RepairState.Done, Verdict = "lost", Evidence = [],
    };

    private static readonly Dictionary<string, (string Table, Func<RepairTransaction, CancellationToken, Task> Use)> Uses = new()
    {
        ["a task locked"] = ("task", (transaction, token) => TaskWrite.LockAsync(transaction, 1, Fence, token)),
        ["a task read under its fence"] = ("task", (transaction, token) => TaskWrite.ReadAsync(transaction, 1, Fence, token)),
        ["a task's image"] = ("task", (transaction, token) => TaskWrite.ImageAsync(transaction, 1, token)),
        ["a task finished"] = ("task", (transaction, token) => TaskWrite.FinishAsync(transaction, 1, Fence, "Error", null, "test", token)),
        ["a task's code"] = ("task", (transaction, token) => TaskWrite.FixCodeAsync(transaction, 1, Fence, "test", token)),
        ["a task's row"] = ("task", (transaction, token) => TaskRow.ReadAsync(transaction, 1, token)),
        ["a robot"] = ("robot", (transaction, token) => TaskRow.RobotExistsAsync(transaction, 1, token)),
        ["an execution recomputed"] = ("execution", (transaction, token) => ExecutionWrite.RecomputeAsync(transaction, 1, token)),
        ["an execution refreshed"] = ("execution", (transaction, token) => ExecutionWrite.RefreshAsync(transaction, 1, token)),
        ["an empty execution"] = ("execution", (transaction, token) => ExecutionWrite.CloseEmptyAsync(transaction, 1, "test", token)),
        ["a line written"] = (Audit, (transaction, token) => AuditTable.AddAsync(transaction, Line, token)),
        ["a line ended"] = (Audit, (transaction, token) => AuditTable.EndAsync(transaction, 1, RepairState.Done, null, null, token)),
        ["the history"] = (Audit, (transaction, token) => AuditTable.HistoryAsync(transaction, [1], [1], [1], token)),
        ["the mode"] = ("properties", (transaction, token) => AuditTable.HistoryAsync(transaction, [1], [1], [1], token)),
        ["lines to be counted"] = (Audit, (transaction, token) => AuditTotals.IsAnyAsync(transaction, token)),
        ["lines counted"] = (Audit, (transaction, token) => AuditTotals.CountAsync(transaction, 1, token)),
        ["open intents"] = (Audit, (transaction, token) => Intents.ResolveAsync(transaction, token)),
    };

    public static TheoryData<string> Names => [.. Uses.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Each_statement_ends_when_it_is_cancelled(string name)
    {
        await using var harbor = await TestHarbor.CreateAsync("2.13.0");
        await harbor.GrantRemediationAsync();
        var settings = SettingsReader.Read(harbor.RemediationEnvironment(("HARBOR_REDIS_URL", "redis://127.0.0.1:1/1")), new Dictionary<string, string>()).Settings!;
        await using var database = new RepairDatabase(settings.Database, settings.Remediation);
        await using var transaction = await database.BeginAsync(TestContext.Current.CancellationToken);
        var (table, use) = Uses[name];
        // The lock of the test outlives lock_timeout, which would be another exception.
        await using var held = await ObservationGateTests.LockAsync(harbor, table);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => use(transaction, cancel.Token));
    }
}

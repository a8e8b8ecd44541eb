using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Metrics;
using HarborScanExporter.Tests.Observation;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Database;

/// <summary>Dapper.AOT takes a token only beside a real parameter; each query is held by a lock and must let go when it is cancelled.</summary>
public sealed class CancellationTests
{
    private static readonly DatabaseFacts Facts = new() { SchemaVersion = 160, Now = 1_789_992_000, CanReadQueueStatus = true, CanReadSbomReport = true };

    private static readonly Dictionary<string, (string Table, Func<Snapshot, CancellationToken, Task> Read)> Reads = new()
    {
        ["probe"] = ("schema_migrations", (snapshot, token) => SchemaProbe.ReadAsync(snapshot, token)),
        ["tasks"] = ("task", (snapshot, token) => TaskPass.ReadAsync(snapshot, Facts.Now, 0, FinishedSince.Never, token)),
        ["executions"] = ("execution", (snapshot, token) => ExecutionPass.ReadAsync(snapshot, FinishedSince.Never, token)),
        ["horizon"] = ("execution", (snapshot, token) => TableHorizonProbe.ReadAsync(snapshot, token)),
        ["settled ids"] = ("execution", (snapshot, token) => TableHorizonProbe.SettledAsync(snapshot, Facts.Now, token)),
        ["active tasks"] = ("task", (snapshot, token) => ActiveTaskLookup.ReadAsync(snapshot, IdRanges.Of([1], 16), IdRanges.None, new RowAddresses<long>(), token)),
        ["tasks by job"] = ("task", (snapshot, token) => ActiveTaskLookup.ByJobAsync(snapshot, ["d318c1b17dff242a33f02544"], token)),
        ["hooks of others"] = ("task", (snapshot, token) => ActiveTaskLookup.HooksOfOthersAsync(snapshot, 1, Facts.Now, token)),
        ["active executions"] = ("execution", (snapshot, token) => ActiveExecutionLookup.ReadAsync(snapshot, IdRanges.Of([1], 16), IdRanges.None, new RowAddresses<long>(), token)),
        ["executions by id"] = ("execution", (snapshot, token) => ExecutionLookup.ExecutionsAsync(snapshot, [1], token)),
        ["tasks of executions"] = ("task", (snapshot, token) => ExecutionLookup.TasksAsync(snapshot, [1], token)),
        ["attributes"] = ("task", (snapshot, token) => ReportLookup.AttributesAsync(snapshot, [1], token)),
        ["shared reports"] = ("task", (snapshot, token) => ReportSharingLookup.ReadAsync(snapshot.Connection, snapshot.Transaction, snapshot.Tables, [(1, "u")], token)),
        ["large reports"] = ("scan_report", (snapshot, token) => ReportBeginning.OfLargeAsync(snapshot.Connection, snapshot.Transaction, new Dictionary<string, long> { ["u"] = 3_000 }, token)),
        ["states"] = ("task", (snapshot, token) => TaskLookup.StatesAsync(snapshot, [1], token)),
        ["jobs"] = ("task", (snapshot, token) => TaskLookup.NamedJobsAsync(snapshot, ["d318c1b17dff242a33f02544"], token)),
        ["reports"] = ("scan_report", (snapshot, token) => ReportLookup.ReportsAsync(snapshot, ["u"], true, null, token)),
        ["reports by address"] = ("scan_report", (snapshot, token) => ReportLookup.ReportsAsync(snapshot, ["u"], true, KnownReport(), token)),
        ["SBOMs"] = ("sbom_report", (snapshot, token) => ReportLookup.ReportsAsync(snapshot, ["u"], true, null, token)),
        ["artifacts by id"] = ("artifact", (snapshot, token) => ArtifactLookup.ByIdAsync(snapshot, [1], token)),
        ["artifacts by digest"] = ("artifact", (snapshot, token) => ArtifactLookup.ByDigestAsync(snapshot, ["sha256:a"], token)),
        ["preventing projects"] = ("project_metadata", (snapshot, token) => ArtifactLookup.PreventingAsync(snapshot, [1], token)),
        ["paused queues"] = ("job_queue_status", (snapshot, token) => OperatorState.ReadAsync(snapshot, Facts, token)),
        ["read-only mode"] = ("properties", (snapshot, token) => OperatorState.ReadAsync(snapshot, Facts with { CanReadQueueStatus = false, CanReadMode = true }, token)),
        ["blocked sweep"] = ("execution", (snapshot, token) => SweepBlockLookup.IdsAsync(snapshot, [1], 130, token)),
        ["robots"] = ("robot", (snapshot, token) => RobotLookup.CountLeakedAsync(snapshot, Facts.Now, [], token)),
        ["sweepable"] = ("execution", (snapshot, token) => SweepableLookup.CountAsync(snapshot, Facts.SchemaVersion, token)),
        ["orphan reports"] = ("scan_report", (snapshot, token) => OrphanReportLookup.ScanReportsAsync(snapshot, token)),
        ["audit"] = ("harbor_scan.repair", (snapshot, token) => RepairAuditLookup.CountsAsync(snapshot, token)),
        ["audit totals"] = ("harbor_scan.repair_total", (snapshot, token) => RepairAuditLookup.CountsAsync(snapshot, token)),
        ["audit of late"] = ("harbor_scan.repair", (snapshot, token) => RepairAuditLookup.OfLateAsync(snapshot, token)),
        ["orphan SBOMs"] = ("sbom_report", (snapshot, token) => OrphanReportLookup.SbomReportsAsync(snapshot, token)),
    };

    public static TheoryData<string> Queries => [.. Reads.Keys];

    [Theory]
    [MemberData(nameof(Queries))]
    public async Task Each_query_ends_when_it_is_cancelled(string query)
    {
        await using var harbor = await TestHarbor.CreateAsync("2.13.0");
        await harbor.GrantReadOnlyViewAsync();
        await harbor.GrantRemediationAsync();
        var settings = SettingsReader.Read(harbor.Environment(), new Dictionary<string, string>()).Settings!;
        await using var database = new HarborDatabase(settings.Database, TimeSpan.FromSeconds(10));
        await using var snapshot = await database.BeginAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        var (table, read) = Reads[query];
        // The lock of the test outlives lock_timeout, which would be another exception.
        await using var held = await ObservationGateTests.LockAsync(harbor, table);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read(snapshot, cancel.Token));
    }

    private static RowAddresses<string> KnownReport()
    {
        var addresses = new RowAddresses<string>();
        addresses.Keep(new Dictionary<string, string> { ["u"] = "(0,1)" });
        return addresses;
    }
}

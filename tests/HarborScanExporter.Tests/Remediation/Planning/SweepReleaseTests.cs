using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.EndToEnd;
using HarborScanExporter.Tests.Support;
using HarborSimulator;
using HarborSimulator.Schema;
using Microsoft.Extensions.DependencyInjection;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>Old executions of a simulated Harbor of every schema version: what is removed, what an undo brings back, and that Harbor's own sweep passes.</summary>
public sealed class SweepReleaseTests
{
    /// <summary>Harbor's rule with the artifact for the vendor id, and no report left of a task: in SQL, as nothing here holds text that JSON in SQL fails on.</summary>
    private static string ExpectedSql(HarborRelease release, string[] types) => $"""
        select coalesce(string_agg(id::text, ' ' order by id), '')
        from (select id, vendor_type, status, start_time,
                     nth_value(start_time, case when vendor_type = 'SCAN_ALL' then {release.RetentionOf("SCAN_ALL")} else 1 end) over (
                         partition by vendor_type, coalesce(extra_attrs -> 'artifact' ->> 'id', '') order by start_time desc
                         rows between unbounded preceding and unbounded following) as kept_from
              from execution where vendor_type in ('', {string.Join(", ", types.Select(type => $"'{type}'").DefaultIfEmpty("''"))})) e
        where status in ('Success', 'Error', 'Stopped') and start_time < kept_from
          and not exists (select from task t, json_array_elements_text(t.extra_attrs -> 'report_uuids') named
                          where t.execution_id = e.id
                            and (t.status_code < 3 or named in (select uuid from scan_report{(release.HasSbom ? " union all select uuid from sbom_report" : "")})))
        """;

    private const string TasksSql = "select coalesce(string_agg(t::text, E'\\n' order by t.id), '') from task t";
    private const string ExecutionsSql = "select coalesce(string_agg(e::text, E'\\n' order by e.id), '') from execution e";

    public static TheoryData<string> Releases { get; } = [.. HarborRelease.Supported.Select(release => release.Name)];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Exactly_what_lies_beyond_the_retention_and_holds_no_report_goes_and_an_undo_brings_every_row_back(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromDays(4));
        await LiveAsync(simulated.Simulation);
        if (release == "2.11.0") await new Seed(harbor).ExecutionAsync("EXECUTION_SWEEP", "Error", TimeSpan.FromHours(1), vendorId: -1);
        await using var repairing = await RepairingHarbor.StartAsync(harbor: harbor, changes: (Setting.Names.RemediationSweep, "on"));
        string[] types = harbor.Release switch
        {
            { SchemaVersion: < 110 } => ["IMAGE_SCAN"],
            { SchemaVersion: <= 140 } => ["IMAGE_SCAN", "SCAN_ALL", "SBOM"],
            _ => [],
        };
        var expected = await harbor.Database.ScalarAsync<string>(ExpectedSql(harbor.Release, types));
        var (tasks, executions) = (await harbor.Database.ScalarAsync<string>(TasksSql), await harbor.Database.ScalarAsync<string>(ExecutionsSql));

        var result = await repairing.RunAsync();

        Assert.Equal((RunEnd.Clean, null), (result.End, result.Problem));
        Assert.Equal(types.Length > 0, expected.Length > 0);
        Assert.Equal(expected, await harbor.Database.ScalarAsync<string>(
            "select coalesce(string_agg(execution_id::text, ' ' order by execution_id), '') from harbor_scan.repair where action = 'sweep' and state = 'done'"));
        Assert.Equal(result.Outcomes.Count, await harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair"));
        Assert.Equal(executions.Split('\n').Length - result.Outcomes.Count, await harbor.Database.ScalarAsync<long>("select count(*) from execution"));
        Assert.Equal(0, await harbor.Database.ScalarAsync<long>("select count(*) from task where execution_id not in (select id from execution)"));
        if (types.Length == 0) Assert.All(result.Plan!.Refusals, refusal => Assert.Equal("harbor_sweeps", refusal.Reason));
        if (harbor.Release.SweepsByJob) Assert.Empty((await simulated.Simulation.SweepAsync(TestContext.Current.CancellationToken)).FailedVendors);

        if (!harbor.Release.SweepsByJob)
        {
            Assert.Equal(result.Outcomes.Count, await UndoAllAsync(repairing));
            Assert.Equal(executions, await harbor.Database.ScalarAsync<string>(ExecutionsSql));
            Assert.Equal(tasks, await harbor.Database.ScalarAsync<string>(TasksSql));
        }
    }

    [Fact]
    public async Task An_undo_brings_every_row_back_before_Harbor_sweeps_again_and_it_is_never_removed_anew()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.10.0");
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromDays(4));
        await LiveAsync(simulated.Simulation);
        await using var repairing = await RepairingHarbor.StartAsync(harbor: harbor, changes: (Setting.Names.RemediationSweep, "on"));
        var (tasks, executions) = (await harbor.Database.ScalarAsync<string>(TasksSql), await harbor.Database.ScalarAsync<string>(ExecutionsSql));
        var result = await repairing.RunAsync();

        Assert.Equal(result.Outcomes.Count, await UndoAllAsync(repairing));
        Assert.Equal(executions, await harbor.Database.ScalarAsync<string>(ExecutionsSql));
        Assert.Equal(tasks, await harbor.Database.ScalarAsync<string>(TasksSql));
        // Once more there is nothing to put back: the rows are there.
        Assert.Equal(0, await UndoAllAsync(repairing));

        await harbor.Database.ExecuteAsync("update harbor_scan.repair set state = 'undone'");
        var again = await repairing.RunAsync();
        Assert.Equal(RunEnd.Left, again.End);
        Assert.Empty(again.Outcomes);
        Assert.Equal(result.Outcomes.Count, again.Plan!.Refusals.Count(refusal => refusal.Reason == "undone"));
    }

    /// <summary>A day of scans, three days ago: single images, an index, one digest in two repositories, scan-alls, SBOMs, and a stopped queue.</summary>
    private static async Task LiveAsync(HarborSimulation simulation)
    {
        var token = TestContext.Current.CancellationToken;
        var image = await simulation.PushAsync(tag: "image", cancellationToken: token);
        var index = await simulation.PushAsync(tag: "index", children: 2, cancellationToken: token);
        var copy = await simulation.CopyAsync(image, "other", "app", token);
        await simulation.PushAsync(tag: "seldom", cancellationToken: token);
        for (var round = 0; round < 3; round++)
        {
            foreach (var artifact in (HarborArtifact[])[image, index, copy])
            {
                await simulation.ScanAsync(artifact, token);
                await simulation.AdvanceAsync(TimeSpan.FromMinutes(10), token);
                if (simulation.Release.HasSbom) await simulation.GenerateSbomAsync(artifact, token);
            }
            for (var scanAll = 0; scanAll < 3; scanAll++)
            {
                await simulation.ScanAllAsync(manual: scanAll > 0, cancellationToken: token);
                await simulation.AdvanceAsync(TimeSpan.FromMinutes(30), token);
            }
        }
        await simulation.AdvanceAsync(TimeSpan.FromHours(1), token);
    }

    /// <summary>Puts back what was removed, the newest first; how many were.</summary>
    private static async Task<int> UndoAllAsync(RepairingHarbor repairing)
    {
        var count = await repairing.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair where action = 'sweep' and state = 'done'");
        var restored = 0;
        for (var i = 0; i < count; i++)
        {
            var before = await repairing.Harbor.Database.ScalarAsync<string>($"select before::text from harbor_scan.repair where action = 'sweep' order by id desc offset {i} limit 1");
            await using var transaction = await repairing.Pieces.GetRequiredService<RepairDatabase>().BeginAsync(TestContext.Current.CancellationToken);
            if (await SweepUndo.RestoreAsync(transaction, before, TestContext.Current.CancellationToken)) restored++;
            await transaction.CommitAsync(TestContext.Current.CancellationToken);
        }
        return restored;
    }
}

using HarborScanExporter.Tests.EndToEnd;
using HarborScanExporter.Tests.Support;
using HarborSimulator;
using HarborSimulator.Schema;

namespace HarborScanExporter.Tests.Remediation.Verification;

/// <summary>Harbor's own rule takes repaired rows away on every schema, which it cannot do with rows of the well-known manual fix.</summary>
public sealed class SweptAfterRepairTests
{
    /// <summary>Harbor's rule: tasks of code 3 first, then the executions; a task that stays makes it fail on the foreign key.</summary>
    private const string Rule = """
        with old as materialized (
            select id from execution where status in ('Error', 'Success', 'Stopped') and vendor_type = 'IMAGE_SCAN'
              and id < (select max(id) from execution where vendor_type = 'IMAGE_SCAN'))
        """;

    public static TheoryData<string> Releases => [.. HarborRelease.Supported.Select(release => release.Name)];

    [Theory]
    [MemberData(nameof(Releases))]
    public async Task Repaired_rows_go_with_the_next_sweep(string release)
    {
        await using var harbor = await TestHarbor.CreateAsync(release);
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromHours(6), new SimulationSettings { ErrorShare = 0, Sweeps = false });
        var simulation = simulated.Simulation;
        var artifact = await simulation.PushAsync(cancellationToken: TestContext.Current.CancellationToken);
        var lost = await simulation.ScanAsync(artifact, TestContext.Current.CancellationToken);
        Assert.True(lost.Accepted, lost.Refusal);
        var task = Assert.Single(lost.TaskIds);
        await simulation.LoseJobAsync(task, TestContext.Current.CancellationToken);
        await simulated.CatchUpAsync();
        await using var repairing = await RepairingHarbor.StartAsync(harbor: harbor);
        Assert.Single(await repairing.RepairAsync());

        var again = await simulation.ScanAsync(artifact, TestContext.Current.CancellationToken);
        Assert.True(again.Accepted, again.Refusal);
        await simulation.AdvanceAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);

        if (simulation.Release.SweepsByJob) Assert.Empty((await simulation.SweepAsync(TestContext.Current.CancellationToken)).FailedVendors);
        if (!simulation.Release.SweepsByJob || simulation.Release.RetentionOf("IMAGE_SCAN") is null)
        {
            await harbor.Database.ExecuteAsync($"{Rule} delete from task where status_code = 3 and execution_id in (select id from old)");
            await harbor.Database.ExecuteAsync($"{Rule} delete from execution where id in (select id from old)");
        }

        Assert.Equal($"{again.ExecutionId} Success", await harbor.Database.ScalarAsync<string>(
            "select string_agg(id || ' ' || status, ', ') from execution where vendor_type = 'IMAGE_SCAN'"));
        Assert.Equal(0, await harbor.Database.ScalarAsync<long>($"select count(*) from task where id = {task}"));
        await repairing.AgeAsync(TimeSpan.FromMinutes(70));
        await repairing.VerifyAsync();
        Assert.Equal("finish_task done 2 held", await repairing.SeenAsync());
    }
}

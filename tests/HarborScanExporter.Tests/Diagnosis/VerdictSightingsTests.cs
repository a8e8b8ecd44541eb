using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tests.Remediation.Planning;
using Microsoft.Extensions.Time.Testing;
using static HarborScanExporter.Tests.Remediation.Planning.PlanSituation;

namespace HarborScanExporter.Tests.Diagnosis;

/// <summary>What looks remember for repairs: how much was stuck, and when a scan last began or succeeded.</summary>
public sealed class VerdictSightingsTests
{
    private static readonly PlanSituation Nothing = new();

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Stuck_tasks_and_findings_are_counted_apart()
    {
        var sightings = new VerdictSightings(_time);
        sightings.Tell(new PlanSituation
        {
            Scans = [new OpenScan(Pending(), JobEvidence.Nothing), new OpenScan(Running(2, jobId: "b"), Held(60))],
            Executions = [InconsistentRow(Inconsistency.ExecutionNotRefreshed)],
            WrongCodes = [WrongCode(JobEvidence.Nothing)],
        }.Look.Diagnosed);
        Assert.Equal((1, 3), sightings.Counts);
    }

    [Fact]
    public void That_a_scan_began_is_remembered_when_it_is_over()
    {
        var sightings = new VerdictSightings(_time);
        Assert.Null(sightings.LifeAge(Nothing.Look.Diagnosed, null));
        sightings.Tell((Nothing with { Scans = [new OpenScan(Running(age: 10), Held(10))] }).Look.Diagnosed);
        _time.Advance(TimeSpan.FromSeconds(50));
        Assert.Equal(60, sightings.LifeAge(Nothing.Look.Diagnosed, null)!.Value, 6);
    }

    [Fact]
    public void A_success_is_remembered_when_a_repair_has_written_a_newer_one()
    {
        var sightings = new VerdictSightings(_time);
        Assert.Equal(20, sightings.LifeAge((Nothing with { NewestSuccess = Now - 20 }).Look.Diagnosed, Now - 100)!.Value, 6);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(30, sightings.LifeAge((Nothing with { NewestSuccess = Now - 1 }).Look.Diagnosed, Now - 1)!.Value, 6);
    }

    [Fact]
    public void What_began_after_the_look_by_another_clock_is_not_believed()
    {
        var sightings = new VerdictSightings(_time);
        Assert.Null(sightings.LifeAge((Nothing with { NewestSuccess = Now + 5 }).Look.Diagnosed, null));
    }
}

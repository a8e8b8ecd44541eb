using HarborScanExporter.Harbor;
using HarborSimulator.Core;
using static HarborScanExporter.Tests.Remediation.Planning.PlanSituation;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>What a plan tells of a stop, and for how long it tells to wait for a second look.</summary>
public sealed class PlannedWordsTests
{
    [Fact]
    public void A_stop_says_who_makes_the_row_Stopped()
    {
        Assert.Equal($"Harbor's API stops job {JobId}: the job service does not know it, so that core makes the row Stopped.", TextOf(Of(JobEvidence.Nothing)));
        Assert.Equal($"Harbor's API stops job {JobId}: the job service ends it and reports Stopped.", TextOf(Of(new JobEvidence { Record = Record("Running", acknowledged: "Running") })));

        static string TextOf(PlanSituation situation) => Assert.Single((situation with { HasApi = true }).Plan().Repairs).Text;
    }

    [Fact]
    public void Only_what_is_missing_is_waited_for()
    {
        Assert.Equal(("settling", 48.0), Waited(Of(JobEvidence.Nothing, absentFor: 12)));
        Assert.Equal(("settling", 48.0), Waited(Of(new JobEvidence { Record = Record("Running", acknowledged: "Running") }, absentFor: 12)));
        // An end that core has still to take: a second look proves nothing.
        Assert.Equal(("settling", null), Waited(Of(new JobEvidence { Record = Record("Success", Hour, "Running") }, absentFor: 12)));

        static (string, double?) Waited(PlanSituation situation) => Assert.Single(situation.Plan().Refusals) is var refusal ? (refusal.Verdict, refusal.HoldsFor) : default;
    }

    private static PlanSituation Of(JobEvidence job, double absentFor = Hour) => new() { Scans = [new OpenScan(Running(), job, AbsentFor: absentFor)] };
}

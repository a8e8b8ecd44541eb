using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborSimulator.Core;
using static HarborScanExporter.Tests.Remediation.Planning.PlanSituation;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>What is planned, and so the audit, holds the evidence of the finding that it repairs.</summary>
public sealed class PlannedEvidenceTests
{
    [Fact]
    public void A_repair_holds_the_evidence_of_its_finding_and_of_no_other()
    {
        var situation = new PlanSituation { Scans = [new OpenScan(Pending(), JobEvidence.Nothing)], Executions = [InconsistentRow(Inconsistency.ExecutionNotRefreshed)] };
        var ofExecution = Assert.Single(ExecutionFindings.Of(situation.Look.Diagnosed));
        var ofTask = ofExecution with { Id = FindingId.OfTask(1), Evidence = ["of the task"] };
        var look = situation.Look with { Findings = new Dictionary<string, Finding> { [ofExecution.Id] = ofExecution, [ofTask.Id] = ofTask } };

        var repairs = Planner.Of(look, situation.History, situation.Terms).Repairs;

        Assert.NotEmpty(ofExecution.Evidence);
        Assert.Equal([(ofTask.Id, ofTask.Evidence), (ofExecution.Id, ofExecution.Evidence)], repairs.Select(repair => (repair.FindingId, repair.Evidence)));
    }
}

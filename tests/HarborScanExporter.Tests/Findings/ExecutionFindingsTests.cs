using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Findings;

/// <summary>Executions that contradict their tasks, in words.</summary>
public sealed class ExecutionFindingsTests
{
    private const double Day = 24 * Hour;

    private static readonly InconsistentExecution NotRefreshed = new(Execution(age: 48 * Hour), Inconsistency.ExecutionNotRefreshed, 0, 20_691);

    public static TheoryData<string> Kinds => [.. Inconsistency.Kinds.Except([Inconsistency.SweepBlocked])];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_kind_answers_every_question(string kind)
    {
        var finding = Assert.Single(ExecutionFindings.Of(Finding(kind)));
        Assert.Equal((FindingKind.Execution, kind, Severity.Warning, 812L, "SCAN_ALL"), (finding.Kind, finding.Verdict, finding.Severity, finding.ExecutionId, finding.Type));
        string[] sentences = [finding.What, .. finding.Evidence, finding.Blocked.Text, finding.Healing.Text, finding.Repair, .. finding.Avoid];
        Assert.All(sentences, sentence => Assert.EndsWith(".", sentence, StringComparison.Ordinal));
        Assert.NotEmpty(finding.Evidence);
        Assert.NotEmpty(finding.Avoid);
        Assert.True(finding.Blocked.Sweep);
        Assert.Equal(finding.Healing.ByItself == true, finding.Healing.At is not null);
    }

    [Fact]
    public void An_execution_that_was_not_refreshed_in_full()
    {
        var finding = Assert.Single(ExecutionFindings.Of(Diagnosed() with { Executions = [NotRefreshed], BlockingScanAll = NotRefreshed.Execution }));
        Assert.Equal(("execution-812", Severity.Critical, Now - 48 * Hour), (finding.Id, finding.Severity, finding.Since));
        Assert.Equal("Every task of this execution is over, and it is still Running.", finding.What);
        Assert.Equal(
        [
            "The execution is Running, started 2026-09-19 12:00 UTC, trigger MANUAL.",
            "It has 20,691 tasks, 0 of them open.",
            "It has no summary: its enumeration did not come to its end.",
        ], finding.Evidence);
        Assert.Equal((true, "A manual scan-all is refused."), (finding.Blocked.ScanAll, finding.Blocked.Text));
        Assert.Equal(
            new Healing(true, Now + 6 * Day, "Harbor's sweep closes it by 2026-09-27 12:00 UTC, a week after its start; its end_time stays empty."), finding.Healing);
        Assert.Equal("Recompute the execution's status from its tasks, raise its revision by one and set end_time to the newest of its tasks.", finding.Repair);
    }

    [Fact]
    public void Before_2_8_nothing_closes_an_execution()
    {
        Healing Heals(long schema) => Assert.Single(ExecutionFindings.Of(Diagnosed() with { SchemaVersion = schema, Executions = [NotRefreshed] })).Healing;
        Assert.Equal(new Healing(false, null, "Never before Harbor 2.8."), Heals(100));
        Assert.True(Heals(110).ByItself);
    }

    [Fact]
    public void What_blocks_a_scan_all_or_the_sweep_is_critical()
    {
        Assert.Equal(Severity.Warning, Assert.Single(ExecutionFindings.Of(Diagnosed() with { Executions = [NotRefreshed] })).Severity);
        var sweep = new Dictionary<string, IReadOnlyList<long>> { ["SCAN_ALL"] = [812] };
        var blocked = Assert.Single(ExecutionFindings.Of(Finding(Inconsistency.ExecutionFinalWithOpenTask) with { SweepBlocked = sweep }));
        Assert.Equal((Severity.Critical, "Harbor's sweep fails for every SCAN_ALL execution."), (blocked.Severity, blocked.Blocked.Text));
        var codes = Assert.Single(ExecutionFindings.Of(Finding(Inconsistency.FinalStatusWrongCode) with { SweepBlocked = sweep }));
        Assert.Equal((Severity.Critical, "codes-812", 300L), (codes.Severity, codes.Id, codes.Count));
        Assert.Equal("300 tasks of this execution have a final status and a status_code below 3.", codes.What);
    }

    private static Diagnosed Finding(string kind) => kind == Inconsistency.FinalStatusWrongCode
        ? Diagnosed() with { WrongCodes = [new WrongCodes("SCAN_ALL", 812, 300)] }
        : Diagnosed() with { Executions = [new InconsistentExecution(Execution(), kind, kind == Inconsistency.ExecutionFinalWithOpenTask ? 1 : 0, kind == Inconsistency.ExecutionWithoutTasks ? 0 : 5)] };
}

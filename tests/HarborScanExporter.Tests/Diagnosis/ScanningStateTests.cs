using HarborScanExporter.Diagnosis;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Diagnosis;

/// <summary>How scanning does, in one word and one sentence.</summary>
public sealed class ScanningStateTests
{
    [Fact]
    public void Without_open_scans_and_findings_scanning_works() =>
        Assert.Equal(new ScanningState(ScanningLevel.Ok, "Scanning works. No scan is open."), Of(Diagnosed()));

    [Fact]
    public void Open_scans_are_counted_by_what_they_do() => Assert.Equal(
        new ScanningState(ScanningLevel.Ok, "Scanning works. Of 5 open scans none is stuck, 1 runs, 3 wait, 1 cannot be judged."),
        Of(Diagnosed(Judged(Judgement.Running), Judged(Judgement.Queued), Judged(Judgement.Paused), Judged(Judgement.Requeued), Judged(Judgement.Unjudged))));

    [Fact]
    public void A_warning_about_a_task_is_in_the_counts() => Assert.Equal(
        new ScanningState(ScanningLevel.Warning, "Of 1 open scan 1 is stuck, 0 run, 0 wait."),
        Of(Diagnosed(Judged(Judgement.Lost)), Finding(FindingKind.Task, Severity.Warning, "One is lost.")));

    [Fact]
    public void The_worst_finding_on_the_system_opens_the_sentence()
    {
        var warning = Finding(FindingKind.System, Severity.Warning, "Harbor is read-only.");
        var critical = Finding(FindingKind.System, Severity.Critical, "The job service is down.");
        Assert.Equal(new ScanningState(ScanningLevel.Critical, "The job service is down. No scan is open."), Of(Diagnosed(), warning, critical));
        Assert.Equal(new ScanningState(ScanningLevel.Warning, "Harbor is read-only. No scan is open."), Of(Diagnosed(), warning));
        Assert.Equal(new ScanningState(ScanningLevel.Critical, "Harbor is read-only. No scan is open."), Of(Diagnosed(), warning, Finding(FindingKind.Task, Severity.Critical, "One is lost.")));
    }

    [Fact]
    public void What_is_only_to_be_known_changes_nothing() => Assert.Equal(
        new ScanningState(ScanningLevel.Ok, "Scanning works. Of 1 open scan none is stuck, 0 run, 1 waits."),
        Of(Diagnosed(Judged(Judgement.Paused)), Finding(FindingKind.System, Severity.Info, "An operator has paused the queue.")));

    private static ScanningState Of(Diagnosed diagnosed, params Finding[] findings) => ScanningState.Of(diagnosed, findings);

    private static Finding Finding(FindingKind kind, Severity severity, string what) => new()
    {
        Id = "one", Kind = kind, Verdict = "a word", Severity = severity, What = what, Evidence = [], Healing = new Healing(null, null, ""), Repair = "",
    };
}

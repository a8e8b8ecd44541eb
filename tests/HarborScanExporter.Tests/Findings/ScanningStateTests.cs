using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Findings;

/// <summary>How scanning does, in one word and one sentence.</summary>
public sealed class ScanningStateTests
{
    [Fact]
    public void Without_open_scans_and_findings_scanning_works() =>
        Assert.Equal(new ScanningState(ScanningLevel.Ok, "Scanning works. No scan is open."), Of(Diagnosed()));

    [Fact]
    public void Open_scans_are_counted_by_what_they_do() => Assert.Equal(
        new ScanningState(ScanningLevel.Ok, "Scanning works. Of 5 open scans none is stuck, 1 runs, 3 wait, 1 settles."),
        Of(Diagnosed(Judged(Judgement.Running), Judged(Judgement.Queued), Judged(Judgement.Paused), Judged(Judgement.Requeued), Judged(Judgement.Settling))));

    [Fact]
    public void What_one_look_does_not_prove_is_not_called_work()
    {
        var missing = Judged(Judgement.Settling, job: JobEvidence.Nothing);
        Assert.Equal(new ScanningState(ScanningLevel.Unknown, "Not decided: 2 of 2 open scans are missing from Redis, which one look does not prove. Of 2 open scans none is stuck, 0 run, 0 wait, 2 settle."),
            Of(Diagnosed(missing, missing)));
        Assert.Equal(new ScanningState(ScanningLevel.Unknown, "Not decided: 1 of 3 open scans is missing from Redis, which one look does not prove. Of 3 open scans none is stuck, 1 runs, 0 wait, 1 settles, 1 cannot be judged."),
            Of(Diagnosed(missing, Judged(Judgement.Running), Judged(Judgement.Unjudged))));
        Assert.Equal(new ScanningState(ScanningLevel.Unknown, "Not decided: 1 of 2 open scans cannot be judged. Of 2 open scans none is stuck, 1 runs, 0 wait, 1 cannot be judged."),
            Of(Diagnosed(Judged(Judgement.Running), Judged(Judgement.Unjudged))));
    }

    [Fact]
    public void Where_something_is_wrong_what_is_missing_is_told_beside_it()
    {
        var missing = Judged(Judgement.Settling, job: JobEvidence.Nothing);
        var lost = Finding(FindingKind.Task, Severity.Warning, "One is lost.");
        Assert.Equal(new ScanningState(ScanningLevel.Warning, "1 of 3 open scans is missing from Redis, which one look does not prove. Of 3 open scans 1 is stuck, 0 run, 0 wait, 1 settles, 1 cannot be judged."),
            Of(Diagnosed(missing, Judged(Judgement.Lost), Judged(Judgement.Unjudged)), lost));
        Assert.Equal(new ScanningState(ScanningLevel.Critical, "The job service is down. 1 of 1 open scan is missing from Redis, which one look does not prove. Of 1 open scan none is stuck, 0 run, 0 wait, 1 settles."),
            Of(Diagnosed(missing), Finding(FindingKind.System, Severity.Critical, "The job service is down.")));
    }

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

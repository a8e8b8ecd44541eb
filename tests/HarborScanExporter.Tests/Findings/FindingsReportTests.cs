using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Observation;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Findings;

/// <summary>Which findings fit a question, and when a second look is worth its minute.</summary>
public sealed class FindingsReportTests
{
    private static readonly FindingsReport Report = With(Diagnosed()) with
    {
        Findings =
        [
            Finding("a", "lost", "IMAGE_SCAN", "library"), Finding("b", "lost", "SCAN_ALL", "library", "other"), Finding("c", "hung", "IMAGE_SCAN", "other"),
            Finding("d", "queue_paused", null),
        ],
    };

    [Theory]
    [InlineData(null, null, null, "a b c d")]
    [InlineData("lost", null, null, "a b")]
    [InlineData("queue_paused", null, null, "d")]
    [InlineData(null, "IMAGE_SCAN", null, "a c")]
    [InlineData(null, null, "library", "a b")]
    [InlineData(null, null, "other", "b c")]
    [InlineData("lost", "IMAGE_SCAN", "library", "a")]
    [InlineData("hung", "IMAGE_SCAN", "library", "")]
    [InlineData("LOST", null, null, "")]
    [InlineData("lost,hung", null, null, "a b c")]
    [InlineData(null, "SCAN_ALL,IMAGE_SCAN", "other, library", "a b c")]
    [InlineData("", ",", " ", "a b c d")]
    [InlineData(null, null, "lib", "")]
    public void A_filter_leaves_what_fits_in_order(string? verdict, string? type, string? project, string ids) =>
        Assert.Equal(ids, string.Join(' ', FindingsFilter.Of([verdict], [type], [project]).Of(Report).Select(finding => finding.Id)));

    [Fact]
    public void A_second_look_is_needed_only_where_an_absence_was_seen_once()
    {
        var pending = new JobEvidence { Record = Record("Pending", Hour) };
        Assert.True(With(Diagnosed(Judged(Judgement.Settling, job: JobEvidence.Nothing))).NeedsSecondLook);
        Assert.True(With(Diagnosed(Judged(Judgement.Settling, job: pending))).NeedsSecondLook);
        Assert.False(With(Diagnosed(Judged(Judgement.Settling, job: new JobEvidence { Record = Record("Success", 60) }))).NeedsSecondLook);
        Assert.False(With(Diagnosed(Judged(Judgement.Settling))).NeedsSecondLook);
        Assert.False(With(Diagnosed(Judged(Judgement.Lost, job: JobEvidence.Nothing))).NeedsSecondLook);
        Assert.False(With(Diagnosed(Judged(Judgement.Settling, job: JobEvidence.Nothing)) with { JobService = JobServiceEvidence.Without(EvidenceState.Unreachable) }).NeedsSecondLook);
        Assert.False(With(null).NeedsSecondLook);
    }

    private static FindingsReport With(Diagnosed? diagnosed) => new()
    {
        State = new ScanningState(ScanningLevel.Ok, ""), Diagnosed = diagnosed, Observation = new HarborObservation(),
    };

    private static Finding Finding(string id, string verdict, string? type, params string[] projects) => new()
    {
        Id = id, Kind = FindingKind.Task, Verdict = verdict, Type = type, Severity = Severity.Warning, What = "", Evidence = [], Healing = new Healing(null, null, ""), Repair = "",
        Blocked = new Blocked { Text = "", Artifacts = [.. projects.Select(project => new BlockedArtifact(project, $"{project}/app", "sha256:a", null))] },
    };
}

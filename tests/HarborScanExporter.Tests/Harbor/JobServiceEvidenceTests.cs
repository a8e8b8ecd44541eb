using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Harbor;

/// <summary>When Redis stands still beside rows that go on.</summary>
public sealed class JobServiceEvidenceTests
{
    private static readonly JobServiceEvidence Still = Down with { Pools = [Dead(Hour)] };

    [Fact]
    public void It_stands_still_when_no_pool_lives_and_rows_are_more_than_three_minutes_newer_than_its_newest_sign_of_life()
    {
        Assert.Equal(EvidenceState.Usable, Still.Beside(null).State);
        Assert.Equal(EvidenceState.Usable, Still.Beside(Now - Hour + 180).State);
        Assert.Equal(EvidenceState.Stale, Still.Beside(Now - Hour + 181).State);
        Assert.Equal(EvidenceState.Stale, Down.Beside(Now - 30 * 24 * Hour).State);
        Assert.Equal(EvidenceState.Usable, (Still with { Pools = [Alive] }).Beside(Now).State);
    }

    [Fact]
    public void A_replica_without_its_master_stands_still_whatever_its_heartbeats_say()
    {
        var cutOff = (Service with { LostItsMaster = true }).Beside(null);
        Assert.Equal((EvidenceState.Stale, false), (cutOff.State, cutOff.IsUp));
        Assert.StartsWith("redis:6379/2 is a replica without its master, and its newest sign of life is of 2026-09-21 11:59 UTC.", cutOff.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_used_stays_what_it_is()
    {
        var refused = JobServiceEvidence.Without(EvidenceState.Refused, "It refuses.");
        Assert.Equal((EvidenceState.Refused, "It refuses."), (refused.Beside(Now).State, refused.Beside(Now).Problem));
    }

    [Fact]
    public void It_says_since_when_and_until_when()
    {
        var stale = Still.Beside(Now);
        Assert.StartsWith("redis:6379/2 stands still: its newest sign of life is of 2026-09-21 11:00 UTC, and Harbor's rows went on until 2026-09-21 12:00 UTC.", stale.Problem, StringComparison.Ordinal);
        Assert.StartsWith("redis:6379/2 stands still: it shows no sign of life, and", Down.Beside(Now).Problem, StringComparison.Ordinal);
        Assert.Equal("stale", stale.State.Word());
    }

    [Fact]
    public void Rows_show_work_by_a_job_that_was_taken_a_status_that_was_heard_or_a_scan_that_succeeded()
    {
        double? Of(double? success, params HarborScanExporter.Harbor.ScanTask[] open) => RowFreshness.OfWork(open, success, Now);
        Assert.Null(Of(null));
        Assert.Equal(Now - 60, Of(null, Waiting(60), Waiting(90)));
        Assert.Equal(Now - 30, Of(null, Running(30)));
        Assert.Equal(Now - 20, Of(null, Waiting(60, revision: (long)(Now - 20))));
        Assert.Equal(Now - 10, Of(Now - 10, Waiting(60)));
        // Core writes the row before the job service has taken the job.
        Assert.Equal(Now - 60, Of(null, Waiting(5) with { JobId = "" }, Waiting(60)));
        // A row of the future shows nothing.
        Assert.Equal(Now - 60, Of(Now + 61, Waiting(-61), Waiting(60)));
    }
}

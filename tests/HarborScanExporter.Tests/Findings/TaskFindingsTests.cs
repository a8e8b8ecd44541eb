using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Findings;

/// <summary>Every stuck task answers what, why, who, whether it heals, what to do and what not; and no advice contradicts another.</summary>
public sealed class TaskFindingsTests
{
    private const string Stop = "PUT /api/v2.0/jobservice/jobs/" + Job;

    private static readonly ScanReport Stored = new("u1", "sha256:aaa", Stored: true);
    private static readonly ScanReport Missing = new("u1", "sha256:aaa", Stored: false);
    private static readonly TaskAttributes Named = new(244533, 8812, ["u1"]);

    /// <summary>Each verdict with each proof that leads to it.</summary>
    private static readonly Dictionary<string, JudgedTask> Stuck = new()
    {
        ["lost"] = Judged(Judgement.Lost, job: JobEvidence.Nothing, named: Named, reports: Missing),
        ["lost, running"] = Judged(Judgement.Lost, Running(9 * Hour), JobEvidence.Nothing, Named, Missing),
        ["lost, without a job id"] = Judged(Judgement.Lost, Waiting(9 * Hour) with { JobId = "" }, JobEvidence.Nothing, Named, Missing),
        ["lost on rows alone"] = Judged(Judgement.Lost, named: Named, reports: Missing),
        ["lost on rows alone, stored"] = Judged(Judgement.Lost, named: Named, reports: Stored),
        ["unreported, stored, without a record"] = Judged(Judgement.Unreported, Running(3 * Hour), JobEvidence.Nothing, Named, Stored),
        ["unreported, stored, without a job id"] = Judged(Judgement.Unreported, Running(3 * Hour) with { JobId = "" }, JobEvidence.Nothing, Named, Stored),
        ["unreported, stored, on rows alone"] = Judged(Judgement.Unreported, Running(3 * Hour), null, Named, Stored),
        ["unreported, stored, on rows alone, beyond never"] = Judged(Judgement.Unreported, Running(Never + 1), null, Named, Stored),
        ["unreported, Success"] = Judged(Judgement.Unreported, Running(9 * Hour), new JobEvidence { Record = Record("Success", 3 * Hour) }, Named, Missing),
        ["unreported, Success, stored"] = Judged(Judgement.Unreported, Running(9 * Hour), new JobEvidence { Record = Record("Success", 3 * Hour) }, Named, Stored),
        ["unreported, Success, acknowledged"] = Judged(Judgement.Unreported, Running(9 * Hour), new JobEvidence { Record = Record("Success", 3 * Hour, "Success") }, Named, Stored),
        ["unreported, Error"] = Judged(Judgement.Unreported, Running(9 * Hour), new JobEvidence { Record = Record("Error", 3 * Hour) }, Named, Missing),
        ["unreported, Stopped"] = Judged(Judgement.Unreported, Waiting(9 * Hour), new JobEvidence { Record = Record("Stopped", 3 * Hour, "Stopped") }, Named, Missing),
        ["hung"] = Judged(Judgement.Hung, Running(16 * Hour), new JobEvidence { Holder = Alive, WorkerStarted = Now - 16 * Hour, Record = Record("Running", 16 * Hour, "Running") }, Named, Missing),
        ["hung, by the row"] = Judged(Judgement.Hung, Running(16 * Hour), new JobEvidence { Holder = Alive }, Named, Missing),
        ["not queued"] = Judged(Judgement.NotQueued, Waiting(2 * Hour), new JobEvidence { Record = Record("Pending", 2 * Hour, "Pending") }, Named, Missing),
        ["not queued, in a dead pool's list"] = Judged(Judgement.NotQueued, Running(9 * Hour), new JobEvidence { Holder = Dead(8 * Hour), Record = Record("Running", 9 * Hour, "Running") }, Named, Missing),
        ["not queued, in a lost pool's list"] = Judged(Judgement.NotQueued, Running(9 * Hour), new JobEvidence { Holder = Unknown, Record = Record("Running", 9 * Hour, "Running") }, Named, Missing),
        ["not queued, in a lost pool's list, without a record"] = Judged(Judgement.NotQueued, Running(9 * Hour), new JobEvidence { Holder = Unknown }, Named, Missing),
        ["overdue"] = Judged(Judgement.Overdue, Running(3 * Hour), null, Named, Missing),
        ["overdue beyond never"] = Judged(Judgement.Overdue, Running(Never + 1), null, Named, Missing),
    };

    public static TheoryData<string> Cases => [.. Stuck.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_answers_every_question(string stuck)
    {
        foreach (var schema in new[] { 50, 91, 100, 190 })
        {
            var finding = Of(Stuck[stuck], schema);
            Assert.Equal(("task-307257", FindingKind.Task, "IMAGE_SCAN", 307257L, 164617L), (finding.Id, finding.Kind, finding.Type, finding.TaskId, finding.ExecutionId));
            Assert.Equal(Stuck[stuck].Judgement.Word, finding.Verdict);
            Assert.Equal(1, finding.Count);
            Assert.Equal(Now - Stuck[stuck].Task.AgeAt(Now), finding.Since);
            string[] sentences = [finding.What, .. finding.Evidence, finding.Blocked.Text, finding.Healing.Text, finding.Repair, .. finding.Avoid];
            Assert.All(sentences, sentence => Assert.EndsWith(".", sentence.TrimEnd(')'), StringComparison.Ordinal));
            Assert.All(sentences, sentence => Assert.DoesNotContain("  ", sentence, StringComparison.Ordinal));
            Assert.NotEmpty(finding.Evidence);
            Assert.NotEmpty(finding.Avoid);
            Assert.True(finding.Blocked.Rescan);
            Assert.Equal(finding.Healing.ByItself == true, finding.Healing.At is not null);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_repair_names_the_call_or_the_write(string stuck)
    {
        var judged = Stuck[stuck];
        var repair = Of(judged).Repair;
        var named = judged.Judgement.Word switch
        {
            "overdue" => "HARBOR_REDIS_URL",
            "unreported" => "status_code 3 and end_time",
            _ when judged.Stored || judged.Task.JobId.Length == 0 => "status_code 3 and end_time",
            _ => Stop,
        };
        Assert.Contains(named, repair, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_stop_is_advised_neither_for_what_is_over_nor_without_a_job_id_nor_before_2_7(string stuck)
    {
        var judged = Stuck[stuck];
        foreach (var schema in new[] { 50, 91, 99 }) Assert.DoesNotContain("jobservice/jobs", Of(judged, schema).Repair, StringComparison.Ordinal);
        if (judged.Judgement == Judgement.Unreported || judged.Stored || judged.Task.JobId.Length == 0)
            Assert.DoesNotContain("jobservice/jobs", Of(judged, 190).Repair, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_stored_report_is_never_hidden_behind_Error_or_Stopped(string stuck)
    {
        if (!Stuck[stuck].Stored) return;
        foreach (var schema in new[] { 50, 190 })
        {
            var finding = Of(Stuck[stuck], schema);
            Assert.StartsWith("Write the row as Success with status_code 3 and end_time", finding.Repair, StringComparison.Ordinal);
            Assert.Contains("Do not write Error or Stopped over it: that hides a good report.", finding.Avoid);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Success_is_written_only_over_stored_reports(string stuck)
    {
        var finding = Of(Stuck[stuck]);
        if (Stuck[stuck].Stored) return;
        Assert.DoesNotContain("Success with", finding.Repair, StringComparison.Ordinal);
        Assert.DoesNotContain("(Success)", finding.Repair, StringComparison.Ordinal);
        Assert.DoesNotContain("Do not write Error or Stopped over it: that hides a good report.", finding.Avoid);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_row_is_not_written_while_its_job_is_held_or_known(string stuck)
    {
        if (Stuck[stuck].Judgement.Word is not ("hung" or "not_queued")) return;
        foreach (var schema in new[] { 50, 91, 190 }) Assert.DoesNotContain("status_code", Of(Stuck[stuck], schema).Repair, StringComparison.Ordinal);
    }

    [Fact]
    public void Beyond_never_a_stuck_task_is_critical()
    {
        Assert.Equal(Severity.Warning, Of(Judged(Judgement.Lost, Waiting(Never), JobEvidence.Nothing)).Severity);
        Assert.Equal(Severity.Critical, Of(Judged(Judgement.Lost, Waiting(Never + 1), JobEvidence.Nothing)).Severity);
        Assert.Equal(Severity.Warning, Of(Judged(Judgement.Hung, Running(Never), new JobEvidence { Holder = Alive })).Severity);
        Assert.Equal(Severity.Critical, Of(Judged(Judgement.Overdue, Running(Never + 1))).Severity);
    }

    [Fact]
    public void A_lost_scan_in_full()
    {
        var finding = TaskFindings.Of(Stuck["lost"] with { SeenFor = 60 },
            [new("library", "library/app", "sha256:aaa", true), new("other", "other/app", "sha256:aaa", false)], Diagnosed(), Defaults);
        Assert.Equal("The job service no longer knows this scan: nothing will ever end it.", finding.What);
        Assert.Equal(
        [
            "The row is Pending, for 5 d, and core never heard of the job (revision 0).",
            "Its job is not in the queue.",
            "No worker and no list in progress holds it.",
            "The job service has no record of it.",
            "The same was seen for 1 min without interruption.",
            "0 of its 1 reports are stored.",
        ], finding.Evidence);
        Assert.Equal(
            "Harbor refuses to scan sha256:aaa again, in every repository that holds it: library/app, other/app. Pulls are refused in library, which prevents vulnerable images.",
            finding.Blocked.Text);
        Assert.Equal((true, true, false, false), (finding.Blocked.Rescan, finding.Blocked.Pulls, finding.Blocked.ScanAll, finding.Blocked.Sweep));
        Assert.Equal(new Healing(false, null, "Never: Harbor does not compare its rows with the job service's Redis."), finding.Healing);
        Assert.Equal(
            $"Stop the job by Harbor's API: {Stop}. The row becomes final and can be scanned again; its robot account 8812 must then be removed by DELETE /api/v2.0/robots.",
            finding.Repair);
        Assert.Equal(["Do not set the status alone: without status_code 3 the row can never be swept.", "Do not delete its execution, and do not empty Redis."], finding.Avoid);
    }

    [Fact]
    public void A_hung_scan_in_full()
    {
        var finding = Of(Stuck["hung"]);
        Assert.Equal("A worker holds this scan and does not get on: its scanner keeps answering that it is not ready.", finding.What);
        Assert.Equal(
        [
            $"The row is Running, for 16 h, revision {Now - 16 * Hour - 60:0}.",
            "Its job is not in the queue.",
            "A worker of pool 9f1c000000000000000000a1 on jobservice-1 holds it, since 2026-09-20 20:00 UTC; the pool's heartbeat is fresh.",
            "Its record says Running since 2026-09-20 20:00 UTC, which core has acknowledged.",
            "0 of its 1 reports are stored.",
        ], finding.Evidence);
        Assert.Equal(new Healing(true, Now + 9 * Hour, "The row becomes Error by 2026-09-21 21:00 UTC, when the job is 1 d old; its worker stays held."), finding.Healing);
        Assert.Equal($"Mend the scanner. Stop the job by Harbor's API: {Stop}: the worker looks at the stop within seconds. If it does not let go, restart the job service.", finding.Repair);
    }

    [Fact]
    public void An_end_that_was_not_reported_in_full()
    {
        var finding = Of(Stuck["unreported, Error"]);
        Assert.Equal("The job is over for the job service; its status never reached the row.", finding.What);
        Assert.Contains("Its record says Error since 2026-09-21 09:00 UTC, which core has not acknowledged.", finding.Evidence);
        Assert.Null(finding.Healing.ByItself);
        Assert.Equal(
            "Write the row with the status of the job's record (Error), status_code 3 and end_time, under its old values, and recompute the execution.", finding.Repair);
        Assert.Equal(
        [
            "Do not set the status alone: without status_code 3 the row can never be swept.",
            "Do not write Success over it: its reports are not stored.",
            "Do not stop the job: it is over, and the stop does nothing or writes Stopped.",
        ], finding.Avoid);
        Assert.Equal(
            "Write the row as Error with status_code 3 and end_time, under its old values, and recompute the execution: the job's record says Success, but its reports are not stored. Then scan again.",
            Of(Stuck["unreported, Success"]).Repair);
        Assert.Equal(
            "Write the row as Success with status_code 3 and end_time, under its old values, and recompute the execution. The report stays.",
            Of(Stuck["unreported, Success, stored"]).Repair);
    }

    [Fact]
    public void Whether_an_end_will_still_be_reported_is_said_as_far_as_it_is_known()
    {
        Assert.False(Of(Stuck["unreported, Success, acknowledged"]).Healing.ByItself);
        Assert.False(Of(Stuck["unreported, stored, without a record"]).Healing.ByItself);
        Assert.Null(Of(Stuck["unreported, Success"]).Healing.ByItself);
        // Without Redis nobody knows whether the record is still there.
        Assert.Null(Of(Stuck["unreported, stored, on rows alone"], service: JobServiceEvidence.Without(EvidenceState.NotConfigured)).Healing.ByItself);
        Assert.False(Of(Stuck["unreported, stored, on rows alone, beyond never"], service: JobServiceEvidence.Without(EvidenceState.NotConfigured)).Healing.ByItself);
    }

    [Fact]
    public void What_no_reaper_knows_does_not_heal()
    {
        Assert.Equal(true, Of(Stuck["not queued, in a lost pool's list"]).Healing.ByItself);
        Assert.Equal(Now - 9 * Hour + 25 * Hour, Of(Stuck["not queued, in a lost pool's list"]).Healing.At);
        Assert.Equal(Now - 2 * Hour + 25 * Hour, Of(Stuck["not queued"]).Healing.At);
        Assert.False(Of(Stuck["not queued, in a lost pool's list, without a record"]).Healing.ByItself);
        Assert.False(Of(Stuck["overdue beyond never"]).Healing.ByItself);
        Assert.Null(Of(Stuck["overdue"]).Healing.ByItself);
        // At the limit itself Harbor may still end it.
        Assert.Null(Of(Judged(Judgement.Overdue, Running(Never), null, Named, Missing)).Healing.ByItself);
        Assert.Null(Of(Judged(Judgement.Unreported, Running(Never), null, Named, Stored), service: JobServiceEvidence.Without(EvidenceState.NotConfigured)).Healing.ByItself);
    }

    [Fact]
    public void What_rests_on_rows_alone_says_so_and_what_to_mend()
    {
        var without = Of(Stuck["overdue"], service: JobServiceEvidence.Without(EvidenceState.NotConfigured));
        Assert.Contains("Redis is not configured: this rests on rows alone.", without.Evidence);
        Assert.StartsWith("Set HARBOR_REDIS_URL and look again", without.Repair, StringComparison.Ordinal);
        var blind = Of(Stuck["overdue beyond never"], service: JobServiceEvidence.Without(EvidenceState.Unreachable, "It does not answer."));
        Assert.Contains("Redis cannot be used: this rests on rows alone.", blind.Evidence);
        Assert.StartsWith("Mend the connection to Redis and look again", blind.Repair, StringComparison.Ordinal);
        Assert.Contains("Redis was not asked about this job.", Of(Stuck["lost on rows alone"]).Evidence);
    }

    [Fact]
    public void Each_place_of_a_job_has_its_words()
    {
        Assert.Contains("The list of pool dead0000000000000000dead holds it, which has not beaten since 2026-09-21 04:00 UTC.", Of(Stuck["not queued, in a dead pool's list"]).Evidence);
        Assert.Contains("The list of pool gone0000000000000000gone holds it, which has left no heartbeat.", Of(Stuck["not queued, in a lost pool's list"]).Evidence);
        Assert.Contains("The row has no job id.", Of(Stuck["lost, without a job id"]).Evidence);
        Assert.Contains("Its job is not at either end of the queue.", Of(Stuck["lost"], service: Service with { ListsReadWhole = false }).Evidence);
        Assert.Contains("None of the reports it names exists any more.", Of(Stuck["lost"] with { Reports = [] }).Evidence);
        Assert.Contains("Every report it names is stored (1).", Of(Stuck["unreported, Success, stored"]).Evidence);
    }

    [Fact]
    public void Who_is_blocked_is_said_as_far_as_the_role_can_see()
    {
        Blocked Holding(params BlockedArtifact[] artifacts) => TaskFindings.Of(Stuck["lost"], artifacts, Diagnosed(), Defaults).Blocked;
        Assert.Equal((bool?)false, Holding(new BlockedArtifact("a", "a/b", "sha256:aaa", false)).Pulls);
        Assert.Null(Holding(new BlockedArtifact("a", "a/b", "sha256:aaa", null)).Pulls);
        Assert.True(Holding(new("a", "a/b", "sha256:aaa", false), new("c", "c/b", "sha256:aaa", true)).Pulls);
        Assert.EndsWith("No pull is refused for it.", Holding().Text, StringComparison.Ordinal);
        Assert.Contains("r/1, r/2, r/3, r/4, r/5 and 2 more.",
            Holding([.. Enumerable.Range(1, 7).Select(i => new BlockedArtifact("r", $"r/{i}", "sha256:aaa", false))]).Text, StringComparison.Ordinal);
        var withoutReports = TaskFindings.Of(Stuck["lost"] with { Reports = [] }, [], Diagnosed(), Defaults).Blocked;
        Assert.Equal((false, "Nobody is blocked by it."), (withoutReports.Rescan, withoutReports.Text));
        var scanAll = TaskFindings.Of(Stuck["lost"] with { Reports = [] }, [], Diagnosed() with
        {
            BlockingScanAll = Execution(id: 164617),
            SweepBlocked = new Dictionary<string, IReadOnlyList<long>> { ["IMAGE_SCAN"] = [164617] },
        }, Defaults).Blocked;
        Assert.Equal((true, true, "A manual scan-all is refused. Harbor's sweep fails for every IMAGE_SCAN execution."), (scanAll.ScanAll, scanAll.Sweep, scanAll.Text));
    }

    [Theory]
    [InlineData("lost")]
    [InlineData("unreported, Success, stored")]
    [InlineData("hung")]
    public void A_stuck_SBOM_refuses_the_SBOM_of_its_artifact_and_nothing_else(string stuck)
    {
        var sbom = Stuck[stuck] with { Task = Stuck[stuck].Task with { Type = ScanType.Sbom } };
        var blocked = TaskFindings.Of(sbom, [new BlockedArtifact("a", "a/b", "sha256:aaa", true)], Diagnosed(), Defaults).Blocked;
        Assert.Equal((true, false, (bool?)false), (blocked.Sbom, blocked.Rescan, blocked.Pulls));
        Assert.Equal("Harbor refuses to generate the SBOM of sha256:aaa in a/b again. Vulnerability scans of it, SBOMs in other repositories and pulls are not refused.", blocked.Text);
        Assert.StartsWith("Harbor refuses to generate the SBOM of its artifact again.", TaskFindings.Of(sbom, [], Diagnosed(), Defaults).Blocked.Text, StringComparison.Ordinal);
        Assert.Equal("Nobody is blocked by it.", TaskFindings.Of(sbom with { Reports = [] }, [], Diagnosed(), Defaults).Blocked.Text);
    }

    [Theory]
    [InlineData(ScanType.ImageScan)]
    [InlineData(ScanType.ScanAll)]
    public void A_scan_and_a_child_of_a_scan_all_refuse_the_same(string type)
    {
        var stuck = Stuck["lost"] with { Task = Stuck["lost"].Task with { Type = type } };
        var blocked = TaskFindings.Of(stuck, [new BlockedArtifact("a", "a/b", "sha256:aaa", true)], Diagnosed(), Defaults).Blocked;
        Assert.Equal((false, true, (bool?)true), (blocked.Sbom, blocked.Rescan, blocked.Pulls));
        Assert.Equal("Harbor refuses to scan sha256:aaa again, in every repository that holds it: a/b. Pulls are refused in a, which prevents vulnerable images.", blocked.Text);
    }

    [Fact]
    public void Of_a_child_of_a_scan_all_the_stop_of_its_artifact_is_not_advised()
    {
        // goharbor/harbor 20760: "no scan job for artifact digest"
        foreach (var stuck in new[] { "lost", "hung", "not queued" })
        {
            var child = Stuck[stuck] with { Task = Stuck[stuck].Task with { Type = ScanType.ScanAll } };
            Assert.Contains(Stop, Of(child).Repair, StringComparison.Ordinal);
            Assert.Contains("Do not use the stop of its artifact: it finds no task of a scan-all.", Of(child).Avoid);
            Assert.DoesNotContain("Stop the scan of its artifact", Of(child, schema: 90).Repair, StringComparison.Ordinal);
            Assert.DoesNotContain("Do not use the stop of its artifact: it finds no task of a scan-all.", Of(Stuck[stuck]).Avoid);
        }
    }

    private static Finding Of(JudgedTask judged, long schema = 160, JobServiceEvidence? service = null) =>
        TaskFindings.Of(judged, [], Diagnosed(judged) with { SchemaVersion = schema, JobService = service ?? Service }, Defaults);
}

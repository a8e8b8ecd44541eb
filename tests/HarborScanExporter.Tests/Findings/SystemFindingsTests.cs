using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Findings;

/// <summary>What is said once of the whole system, and when.</summary>
public sealed class SystemFindingsTests
{
    private static readonly JudgedTask Open = Judged(Judgement.Unjudged, Waiting(3 * Hour));

    /// <summary>One diagnosis for each word.</summary>
    private static readonly Dictionary<string, (Diagnosed Diagnosed, long? Robots, Severity Severity)> Systems = new()
    {
        [SystemWord.RedisUnreachable] = (Diagnosed(Open) with { JobService = JobServiceEvidence.Without(EvidenceState.Unreachable, "It does not answer.") }, null, Severity.Warning),
        [SystemWord.RedisRefused] = (Diagnosed(Open) with { JobService = JobServiceEvidence.Without(EvidenceState.Refused, "It refuses the user.") }, null, Severity.Warning),
        [SystemWord.RedisWrongDatabase] = (Diagnosed(Open) with { JobService = Down with { State = EvidenceState.Empty, Problem = "It shows no job service." } }, null, Severity.Warning),
        [SystemWord.RedisStale] = (Diagnosed(Open) with { JobService = JobServiceEvidence.Without(EvidenceState.Stale, "It stands still.") }, null, Severity.Warning),
        [SystemWord.RedisEmptied] = (Diagnosed(Judged(Judgement.Lost, job: JobEvidence.Nothing)) with { JobService = Service with { EmptiedUnderPools = true } }, null, Severity.Critical),
        [SystemWord.JobServiceDown] = (Diagnosed(Open) with { JobService = Down with { Pools = [Dead(Hour)], Scans = new QueueEvidence(7, null, false) } }, null, Severity.Critical),
        [SystemWord.QueuePaused] = (Diagnosed(Judged(Judgement.Paused, Waiting(3 * Hour))) with { PausedQueues = new HashSet<string> { "IMAGE_SCAN" } }, null, Severity.Info),
        [SystemWord.ReadOnly] = (Diagnosed(Open) with { ReadOnly = true }, null, Severity.Warning),
        [SystemWord.QueueOld] = (WithOldest(20 * Hour + 1), null, Severity.Warning),
        [SystemWord.QueuedOver24h] = (WithOldest(24 * Hour + 1), null, Severity.Warning),
        [SystemWord.GhostWorkers] = (Diagnosed() with { JobService = Service with { Ghosts = [new(Job, Alive.Id, "Error"), new("other", Alive.Id, null)] } }, null, Severity.Warning),
        [SystemWord.OrphanHooks] = (Diagnosed() with { OrphanHooks = [Job] }, null, Severity.Info),
        [SystemWord.LeakedRobots] = (Diagnosed(), 300, Severity.Info),
        [SystemWord.ScanAllBlocked] = (Diagnosed(Judged(Judgement.Lost, Waiting(30 * Hour) with { ExecutionId = 812, Type = ScanType.ScanAll })) with { BlockingScanAll = Execution() }, null, Severity.Critical),
    };

    public static TheoryData<string> Cases => [.. SystemWord.All];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_word_answers_every_question_alone(string word)
    {
        var (diagnosed, robots, severity) = Systems[word];
        var finding = Assert.Single(SystemFindings.Of(diagnosed, robots, Defaults));
        Assert.Equal((FindingKind.System, word, severity), (finding.Kind, finding.Verdict, finding.Severity));
        Assert.StartsWith("system-", finding.Id, StringComparison.Ordinal);
        string[] sentences = [finding.What, .. finding.Evidence, finding.Blocked.Text, finding.Healing.Text, finding.Repair, .. finding.Avoid];
        Assert.All(sentences, sentence => Assert.EndsWith(".", sentence, StringComparison.Ordinal));
        Assert.NotEmpty(finding.Evidence);
        Assert.Null(finding.Healing.At);
        Assert.Null(finding.TaskId);
    }

    [Fact]
    public void A_Harbor_that_works_has_none()
    {
        Assert.Empty(SystemFindings.Of(Diagnosed(Judged(Judgement.Queued)), leakedRobots: 0, Defaults));
        Assert.Empty(SystemFindings.Of(Diagnosed() with { PausedQueues = new HashSet<string> { "EXECUTION_SWEEP" }, ReadOnly = false, OrphanHooks = [] }, null, Defaults));
    }

    [Fact]
    public void Without_Redis_configured_its_absence_is_no_finding() =>
        Assert.Empty(SystemFindings.Of(Diagnosed(Open) with { JobService = JobServiceEvidence.Without(EvidenceState.NotConfigured) }, null, Defaults));

    [Fact]
    public void The_Redis_of_another_Harbor_is_a_wrong_database()
    {
        var finding = Assert.Single(SystemFindings.Of(Diagnosed(Open) with { JobService = JobServiceEvidence.Without(EvidenceState.Foreign, "It belongs to another Harbor.") }, null, Defaults));
        Assert.Equal((SystemWord.RedisWrongDatabase, "This Redis belongs to the job service of another Harbor."), (finding.Verdict, finding.What));
    }

    [Fact]
    public void Redis_emptied_is_a_finding_while_open_scans_show_it()
    {
        var emptied = Service with { EmptiedUnderPools = true };
        Assert.Empty(SystemFindings.Of(Diagnosed(Judged(Judgement.Queued, job: new JobEvidence { IsQueued = true })) with { JobService = emptied }, null, Defaults));
        Assert.Equal(2, Assert.Single(SystemFindings.Of(
            Diagnosed(Judged(Judgement.Lost, job: JobEvidence.Nothing), Judged(Judgement.Unjudged, job: JobEvidence.Nothing)) with { JobService = emptied }, null, Defaults)).Count);
    }

    [Fact]
    public void The_age_of_the_queue_is_told_four_hours_before_Harbor_fails_what_waits()
    {
        string[] Words(double age) => [.. SystemFindings.Of(WithOldest(age), null, Defaults).Select(finding => finding.Verdict)];
        Assert.Equal([], Words(20 * Hour));
        Assert.Equal(["queue_old"], Words(20 * Hour + 1));
        Assert.Equal(["queue_old"], Words(24 * Hour));
        Assert.Equal(["queued_over_24h"], Words(24 * Hour + 1));
        Assert.Empty(SystemFindings.Of(WithOldest(30 * Hour), null, Defaults with { MaxJobDuration = 72 * Hour }));
    }

    [Fact]
    public void Many_scans_are_one_finding_that_counts_them()
    {
        var many = Enumerable.Range(0, 2_000).Select(id => Judged(Judgement.Unjudged, Waiting(Hour) with { Id = id })).ToArray();
        var blind = Assert.Single(SystemFindings.Of(Diagnosed(many) with { JobService = JobServiceEvidence.Without(EvidenceState.Unreachable, "It does not answer.") }, null, Defaults));
        Assert.Equal((2_000L, "2,000 open scans cannot be judged with proof; only what Harbor will never heal is called stuck."), (blind.Count, blind.Blocked.Text));
        Assert.Equal(["Do not repair any row meanwhile: without Redis nothing proves that a scan is dead."], blind.Avoid);
    }

    [Fact]
    public void A_job_service_that_is_down_in_full()
    {
        var finding = Assert.Single(SystemFindings.Of(Systems[SystemWord.JobServiceDown].Diagnosed, null, Defaults));
        Assert.Equal("The job service is down since 2026-09-21 11:00 UTC: no worker pool has a fresh heartbeat.", finding.What);
        Assert.Equal(["1 worker pool is listed, the newest heartbeat of 2026-09-21 11:00 UTC.", "7 jobs wait in the queue IMAGE_SCAN."], finding.Evidence);
        Assert.Equal("No scan starts or ends; 1 scan waits for it.", finding.Blocked.Text);
        Assert.Equal(Now - Hour, finding.Since);
        var unlisted = Assert.Single(SystemFindings.Of(Diagnosed(Open) with { JobService = Down }, null, Defaults));
        Assert.Equal("The job service is down: no worker pool has a fresh heartbeat.", unlisted.What);
        Assert.Equal("Redis lists no worker pool.", unlisted.Evidence[0]);
    }

    [Fact]
    public void Ghosts_and_hooks_name_their_jobs()
    {
        Assert.Equal(
            [$"Pool {Alive.Id} holds job {Job}, whose record says Error.", $"Pool {Alive.Id} holds job other, whose record has expired."],
            Assert.Single(SystemFindings.Of(Systems[SystemWord.GhostWorkers].Diagnosed, null, Defaults)).Evidence);
        Assert.Equal([$"For example job {Job}."], Assert.Single(SystemFindings.Of(Systems[SystemWord.OrphanHooks].Diagnosed, null, Defaults)).Evidence);
    }

    [Fact]
    public void Of_many_ghosts_twenty_are_named_and_all_are_counted()
    {
        GhostWorker[] ghosts = [.. Enumerable.Range(0, 25).Select(i => new GhostWorker($"job{i}", Alive.Id, null))];
        var finding = Assert.Single(SystemFindings.Of(Diagnosed() with { JobService = Service with { Ghosts = ghosts } }, null, Defaults));
        Assert.Equal(25, finding.Count);
        Assert.Equal(20, finding.Evidence.Count);
        Assert.Contains("job19,", finding.Evidence[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_scan_all_that_is_an_execution_finding_is_not_told_twice()
    {
        var execution = Execution();
        Assert.Empty(SystemFindings.Of(Diagnosed() with
        {
            BlockingScanAll = execution,
            Executions = [new InconsistentExecution(execution, Inconsistency.ExecutionNotRefreshed, 0, 5)],
        }, null, Defaults));
    }

    private static Diagnosed WithOldest(double age) => Diagnosed() with { JobService = Service with { Scans = new QueueEvidence(5, Now - age, false) } };
}

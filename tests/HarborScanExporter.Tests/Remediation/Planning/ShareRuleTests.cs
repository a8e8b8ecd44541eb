using CsCheck;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Text;
using static HarborScanExporter.Tests.Remediation.Planning.PlanSituation;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>Many stuck scans at once: what is held back until there is proof of life, and what is not (conventions 5.6).</summary>
public sealed class ShareRuleTests
{
    [Fact]
    public void What_was_stuck_before_a_scan_succeeded_is_repaired_and_what_is_stuck_since_waits()
    {
        var plan = (Stuck(30, 600, 25, 100) with { NewestSuccess = Now - 300 }).Plan();
        Assert.Empty(plan.Blocks);
        Assert.Equal(Enumerable.Range(1, 30).Select(id => (long?)id), plan.Repairs.Select(repair => repair.TaskId));
        var held = plan.Refusals.Where(refusal => refusal.Reason == "share").ToArray();
        Assert.Equal(Enumerable.Range(31, 25).Select(id => (long?)id), held.Select(refusal => refusal.TaskId));
        Assert.Equal(
            $"25 of 25 open tasks (without 30 that were stuck before a scan last began or succeeded) are stuck and no scan has begun or succeeded since {Words.TimeToSecond(Now - 100)}, "
            + "when the first of them was seen so: it may be an outage. Start one scan and see it end, or override this after a look (override_share).",
            Assert.Single(held.Select(refusal => refusal.Text).Distinct()));
        Assert.True(plan.IsHeldByShare);
    }

    [Fact]
    public void A_few_that_are_newly_stuck_close_the_rule_for_nobody()
    {
        var plan = (Stuck(30, 600, 20, 100) with { NewestSuccess = Now - 300 }).Plan();
        Assert.Equal((50, false), (plan.Repairs.Count, plan.IsHeldByShare));
    }

    [Fact]
    public void Without_proof_all_wait_and_the_time_is_that_of_the_first_look_that_saw_one()
    {
        var block = Assert.Single(Stuck(15, 600, 15, 100).Plan().Blocks);
        Assert.Equal(("share", true), (block.Reason, block.Text.StartsWith(
            $"30 of 30 open tasks are stuck and no scan has begun or succeeded since {Words.TimeToSecond(Now - 600)}, when the first of them was seen so", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_success_that_a_repair_wrote_proves_nothing()
    {
        var outage = Stuck(30, 600, 0, 0) with { NewestSuccess = Now - 300 };
        PlanSituation Wrote(double age) => outage with { History = outage.History with { NewestOwnSuccess = Now - age } };
        Assert.False(outage.Plan().IsHeldByShare);
        Assert.True(Wrote(300).Plan().IsHeldByShare);
        Assert.True(Wrote(299).Plan().IsHeldByShare);
        Assert.False(Wrote(301).Plan().IsHeldByShare);
    }

    [Fact]
    public void What_nobody_has_seen_stuck_waits_with_the_rest()
    {
        var situation = Stuck(1, 600, 25, 100) with
        {
            NewestSuccess = Now - 300,
            Executions = [InconsistentRow(Inconsistency.ExecutionNotRefreshed)],
            Robots = [new LeakedRobot(3, Now - 2 * Day)],
            HasApi = true,
            SeenFor = 200,
        };
        var plan = situation.Plan();
        Assert.Equal(["task-1"], plan.Repairs.Select(repair => repair.FindingId));
        Assert.Equal(["execution-500", "leaked_robots"], plan.Refusals.Where(refusal => refusal.Reason == "share" && refusal.TaskId is null).Select(refusal => refusal.FindingId));
    }

    /// <summary>Left-over scans leave the rule: with them and without them, and so before their repair and after it, the others are held alike.</summary>
    [Fact]
    public void Scans_that_were_stuck_before_the_proof_change_nothing_for_the_others() =>
        Gen.Select(Gen.Int[0, 60], Gen.Int[0, 60], Gen.Int[1, 60], Gen.Int[61, 999], Gen.Double[0.05, 1]).Sample((stuck, waiting, left, proof, share) =>
        {
            var settings = Armed with { MaxPerRun = 500, MaxShare = share };
            var alone = Stuck(0, 0, stuck, Math.Min(proof, 500)) with { NewestSuccess = Now - proof, Settings = settings };
            alone = alone with { Scans = [.. alone.Scans, .. Enumerable.Range(5000, waiting).Select(id => new OpenScan(Pending(id, jobId: JobOf(id)), new JobEvidence { IsQueued = true }))] };
            var both = alone with { Scans = [.. alone.Scans, .. Enumerable.Range(9000, left).Select(id => new OpenScan(Pending(id, jobId: JobOf(id)), JobEvidence.Nothing) { SeenFor = proof + 60 })] };
            var isHeld = alone.Plan().Blocks.Any(block => block.Reason == "share");
            var plan = both.Plan();
            return isHeld == (stuck > 20 && stuck > share * (stuck + waiting))
                && !plan.IsBlocked
                && plan.Refusals.Count(refusal => refusal.Reason == "share") == (isHeld ? stuck : 0)
                && plan.Repairs.Count(repair => repair.TaskId >= 9000) == left;
        }, iter: 2000);

    /// <summary>Lost scans that have been stuck for so long, and further ones.</summary>
    private static PlanSituation Stuck(int first, double firstFor, int second, double secondFor) => new()
    {
        Scans =
        [
            .. Enumerable.Range(1, first + second).Select(id => new OpenScan(Pending(id, jobId: JobOf(id)), JobEvidence.Nothing) { SeenFor = id <= first ? firstFor : secondFor }),
        ],
    };

    private static string JobOf(int id) => FormattableString.Invariant($"{id:x24}");
}

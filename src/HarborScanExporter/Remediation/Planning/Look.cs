using HarborScanExporter.Database.Session;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Text;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>A task whose status is final and whose code is below 3, with what Redis holds of its job.</summary>
/// <param name="Id">Its id.</param>
/// <param name="ExecutionId">Its execution.</param>
/// <param name="Type">Its vendor type.</param>
/// <param name="JobId">Its job; empty when it has none.</param>
/// <param name="Fence">The row.</param>
/// <param name="Job">What Redis holds of the job; null where it was not asked.</param>
internal sealed record WrongCodeTask(long Id, long ExecutionId, string Type, string JobId, Fence Fence, JobEvidence? Job);

/// <summary>A robot account that a scan left behind.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Created">Seconds since 1970.</param>
internal sealed record LeakedRobot(long Id, double Created)
{
    /// <summary>The repair that ended its task, which has been over since; null when no repair tells whose it was.</summary>
    public long? EndedBy { get; init; }

    /// <summary>What Redis holds of that task's job; null where it was not asked.</summary>
    public JobEvidence? Job { get; init; }
}

/// <summary>Everything a plan rests on but the audit: one fresh look at Harbor.</summary>
internal sealed record Look
{
    public required Diagnosed Diagnosed { get; init; }

    public required DatabaseFacts Facts { get; init; }

    /// <summary>The findings of the same look, by id.</summary>
    public required IReadOnlyDictionary<string, Finding> Findings { get; init; }

    /// <summary>Since how many seconds each verdict has been seen without interruption, by finding.</summary>
    public required IReadOnlyDictionary<string, double> SeenFor { get; init; }

    /// <summary>Why a finding may not be repaired yet, and for how many seconds: it was not seen so for a minute (conventions 5.4). Null when it was.</summary>
    /// <param name="finding">Its id.</param>
    public (string Text, double HoldsFor)? WantsSecondLook(string finding)
    {
        var seenFor = SeenFor.GetValueOrDefault(finding);
        if (seenFor >= EvidenceJudge.TwoSightings) return null;
        return ($"It was seen so for {Words.Duration(seenFor)}; a second look {Words.Duration(EvidenceJudge.TwoSightings)} after the first must say the same.",
            EvidenceJudge.TwoSightings - seenFor);
    }

    /// <summary>How many seconds ago a scan last began or succeeded, as far as any look has seen; null when none has seen one.</summary>
    public double? LifeAge { get; init; }

    /// <summary>How many tasks name each job that may be stopped.</summary>
    public IReadOnlyDictionary<string, long> JobOwners { get; init; } = new Dictionary<string, long>();

    /// <summary>The oldest of them.</summary>
    public IReadOnlyList<WrongCodeTask> WrongCodes { get; init; } = [];

    /// <summary>How many there are beyond those.</summary>
    public long UnlookedCodes { get; init; }

    public IReadOnlyList<LeakedRobot> LeakedRobots { get; init; } = [];

    /// <summary>When the open tasks were made of which nobody knows the robot account; seconds since 1970, null for no usable time.</summary>
    public IReadOnlyList<double?> OpenWithoutRobot { get; init; } = [];

    /// <summary>Repaired scans of the last day that may be scanned again.</summary>
    public IReadOnlyList<Rescannable> Rescannables { get; init; } = [];

    /// <summary>Old executions; only after nothing else was left to be repaired.</summary>
    public IReadOnlyList<SweepCandidate> Sweepable { get; init; } = [];

    /// <summary>What was left alone before a plan: old executions that are not removed, and what is beyond the bounds of a look.</summary>
    public IReadOnlyList<Refusal> Refusals { get; init; } = [];

    /// <summary>Whether Harbor's API may be asked to act.</summary>
    public bool HasApi { get; init; }
}

using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>What a run is asked to do.</summary>
internal sealed record RunRequest
{
    public required Asker Asker { get; init; }

    /// <summary>Whether the statements are rolled back.</summary>
    public bool DryRun { get; init; }

    /// <summary>Findings to be repaired; all when it filters nothing.</summary>
    public FindingsFilter Filter { get; init; } = FindingsFilter.Everything;

    /// <summary>Findings by id; null for all that the filter lets through.</summary>
    public IReadOnlySet<string>? Ids { get; init; }

    /// <summary>A person says that it is no outage.</summary>
    public bool OverrideShare { get; init; }

    /// <summary>Whether a plan searches for old executions, which reads all executions; a run always does where it may remove them.</summary>
    public bool WithOldExecutions { get; init; }

    /// <summary>Whether all that is found is asked for.</summary>
    public bool IsForAll => Filter.IsAll && Ids is null;

    /// <summary>Whether it waits for the second look where a first one was taken only now.</summary>
    public bool WaitsForSecondLook { get; init; } = true;
}

/// <summary>What became of one planned repair.</summary>
/// <param name="Repair">The plan.</param>
/// <param name="State">One of <see cref="RepairState"/>.</param>
/// <param name="Failure">One of <see cref="RepairFailure"/>; null when it did not fail.</param>
/// <param name="Audit">The line of the audit; null in a dry run.</param>
internal sealed record RepairOutcome(PlannedRepair Repair, string State, string? Failure, long? Audit)
{
    /// <summary>The rows before and after as the audit has them; null when none changed.</summary>
    public string? Before { get; init; }

    public string? After { get; init; }
}

/// <summary>Why a run came to its end.</summary>
internal enum RunEnd
{
    /// <summary>Nothing was left to be repaired.</summary>
    Clean,

    /// <summary>Something forbids every write.</summary>
    Blocked,

    /// <summary>Something was left that may not be repaired now.</summary>
    Left,

    /// <summary>Another run has the lock.</summary>
    Busy,

    /// <summary>Harbor's database or the audit could not be used.</summary>
    Failed,

    /// <summary>The exporter ended, or whoever ran the command broke it off.</summary>
    Interrupted,
}

/// <summary>What a run did.</summary>
internal sealed record RunResult
{
    /// <summary>Its id, which its lines in the audit carry.</summary>
    public required string Run { get; init; }

    public required bool DryRun { get; init; }

    public required RunEnd End { get; init; }

    /// <summary>The reason in a sentence when it did not come to a clean end.</summary>
    public string? Problem { get; init; }

    /// <summary>The newest plan; null when none could be made.</summary>
    public RepairPlan? Plan { get; init; }

    public IReadOnlyList<RepairOutcome> Outcomes { get; init; } = [];

    /// <summary>What was about to be committed when the connection was lost: only the audit tells whether it was.</summary>
    public IReadOnlyList<RepairOutcome> Unconfirmed { get; init; } = [];

    public int Batches { get; init; }

    /// <summary>What the newest look could not see, a sentence each.</summary>
    public IReadOnlyList<string> Incomplete { get; init; } = [];
}

using System.Text.RegularExpressions;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Cli.Repair;

/// <summary>The form of what <c>repair</c> prints.</summary>
internal enum RepairOutput
{
    /// <summary>For a person.</summary>
    Table,

    /// <summary>The documents of GET /api/v1/plan, of POST /api/v1/repairs and of its undo.</summary>
    Json,
}

/// <summary>What <c>repair</c> was asked for.</summary>
internal sealed partial record RepairOptions
{
    public RepairOutput Output { get; init; }

    /// <summary>One look, also where a repair needs two.</summary>
    public bool Quick { get; init; }

    /// <summary>Whether what is planned is written.</summary>
    public bool Apply { get; init; }

    /// <summary>Whether the statements are run and rolled back.</summary>
    public bool DryRun { get; init; }

    /// <summary>The line of the audit whose repair is taken back; null when none is.</summary>
    public long? Undo { get; init; }

    /// <summary>Every row, also where hundreds are alike.</summary>
    public bool All { get; init; }

    /// <summary>Whether the plan searches for old executions too.</summary>
    public bool OldExecutions { get; init; }

    public FindingsFilter Filter { get; init; } = FindingsFilter.Everything;

    /// <summary>Findings by id; none for all that the filter lets through.</summary>
    public IReadOnlyList<string> Ids { get; init; } = [];

    /// <summary>A person has looked, and it is no outage.</summary>
    public bool OverrideShare { get; init; }

    /// <summary>Who asks, for the audit; null for the user of the process.</summary>
    public string? Actor { get; init; }

    /// <summary>Why, for the audit.</summary>
    public string? Note { get; init; }

    /// <summary>Whether something may be written that lasts.</summary>
    public bool Writes => Apply || Undo is not null;

    /// <summary>The run that is asked for.</summary>
    public RunRequest Request => new()
    {
        Asker = Asker,
        DryRun = !Apply,
        Filter = Filter,
        Ids = Ids.Count == 0 ? null : Ids.ToHashSet(StringComparer.Ordinal),
        OverrideShare = OverrideShare,
        // The command waits itself, and shows that it does.
        WaitsForSecondLook = false,
    };

    /// <summary>Who asks for it.</summary>
    public Asker Asker => new(RunSource.Command, Actor is { Length: > 0 } given ? given : Environment.UserName is { Length: > 0 } user ? user : "unknown",
        // The override is audited (conventions 5.6).
        OverrideShare ? $"The share rule is overridden. {Note}".TrimEnd() : Note);

    /// <summary>What is wrong with the options under this ceiling, and the mend; null when nothing is.</summary>
    /// <param name="mode">How far repairs may go.</param>
    public string? ProblemUnder(RemediationMode mode)
    {
        if (Filter.Bad is { } bad) return bad.Detail;
        if (Ids.FirstOrDefault(id => !FindingId().IsMatch(id)) is { } unknown)
            return $"{unknown} is no id of something that can be repaired. Give ids as check --output json has them: task-307257, execution-9041, codes-9041.";
        if (Undo is not null && (Apply || DryRun || OverrideShare || OldExecutions || !Filter.IsAll || Ids.Count > 0)) return "--undo takes one repair back and goes with --actor, --note and --output only.";
        if (OldExecutions && (Apply || DryRun || !Filter.IsAll || Ids.Count > 0))
            return "--old-executions counts what a plan of everything would remove: leave out --apply and --dry-run, which search by themselves, and whatever chooses findings.";
        if (Apply && DryRun) return "--apply writes and --dry-run does not. Give one of them.";
        if (Writes && mode != RemediationMode.Execute)
            return $"Nothing may be written: {Setting.Names.Remediation} is {mode.Word()}. Set it to execute{(Apply ? ", or leave out --apply to see what would be done" : "")}.";
        return DryRun && mode == RemediationMode.Off
            ? $"Nothing may be tried: {Setting.Names.Remediation} is off. Set it to dry-run or execute, or leave out --dry-run to see what would be done."
            : null;
    }

    [GeneratedRegex(@"\A(task|execution|codes)-[0-9]{1,19}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex FindingId();
}

using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Text;

namespace HarborScanExporter.Findings;

/// <summary>Puts executions that contradict their tasks into words (harbor-facts 4.4 to 4.7, 6.2).</summary>
internal static class ExecutionFindings
{
    /// <summary>2.8.0 closes executions left Running a week after their start (FixDangling).</summary>
    private const double Dangling = 168 * 3600;

    /// <summary>All findings on executions, wrong codes among them.</summary>
    public static IEnumerable<Finding> Of(Diagnosed diagnosed) =>
        diagnosed.Executions.Select(found => OfExecution(found, diagnosed)).Concat(diagnosed.WrongCodes.Select(found => OfWrongCodes(found, diagnosed)));

    private static Finding OfExecution(InconsistentExecution found, Diagnosed diagnosed)
    {
        var execution = found.Execution;
        var scanAll = diagnosed.BlockingScanAll?.Id == execution.Id;
        var sweep = SweepFails(execution.Type, execution.Id, diagnosed);
        return new Finding
        {
            Id = FindingId.OfExecution(execution.Id),
            Kind = FindingKind.Execution,
            Verdict = found.Kind,
            Severity = scanAll || sweep ? Severity.Critical : Severity.Warning,
            Type = execution.Type,
            Status = execution.Status,
            ExecutionId = execution.Id,
            Since = execution.Started,
            What = found.Kind switch
            {
                Inconsistency.ExecutionNotRefreshed => "Every task of this execution is over, and it is still Running.",
                Inconsistency.ExecutionWithoutTasks => "This execution is Running and has no task: core ended before it made any.",
                _ => "This execution is over and a task of it is not.",
            },
            Evidence =
            [
                $"The execution is {execution.Status}{(execution.Started is { } started ? $", started {Words.Time(started)}" : "")}, trigger {execution.Trigger ?? "unknown"}.",
                $"It has {Words.Count(found.Tasks, "task")}, {Words.Number(found.OpenTasks)} of them open.",
                .. execution is { Type: ScanType.ScanAll, Summary: null } ? ["It has no summary: its enumeration did not come to its end."] : Array.Empty<string>(),
            ],
            Blocked = scanAll || sweep
                ? new Blocked
                {
                    ScanAll = scanAll,
                    Sweep = sweep,
                    Text = string.Join(' ', new[] { scanAll ? "A manual scan-all is refused." : null, sweep ? $"Harbor's sweep fails for every {execution.Type} execution." : null }.OfType<string>()),
                }
                : new Blocked { Sweep = true, Text = "Harbor can neither sweep this execution nor remove it with its artifact." },
            Healing = Heals(found, diagnosed),
            Repair = found.Kind switch
            {
                Inconsistency.ExecutionNotRefreshed => "Recompute the execution's status from its tasks, raise its revision by one and set end_time to the newest of its tasks.",
                Inconsistency.ExecutionWithoutTasks => "POST /api/v2.0/system/scanAll/stop when it is the newest scan-all; else set it to Error with its revision raised and end_time.",
                _ => "Repair its open task first; then recompute the execution.",
            },
            Avoid = ["Do not delete the execution: its tasks refer to it, and its newest holds the artifact's state."],
        };
    }

    private static Finding OfWrongCodes(WrongCodes found, Diagnosed diagnosed)
    {
        var sweep = SweepFails(found.Type, found.ExecutionId, diagnosed);
        return new Finding
        {
            Id = FindingId.OfCodes(found.ExecutionId),
            Kind = FindingKind.Execution,
            Verdict = Inconsistency.FinalStatusWrongCode,
            Severity = sweep ? Severity.Critical : Severity.Warning,
            Type = found.Type,
            ExecutionId = found.ExecutionId,
            Count = found.Tasks,
            What = $"{Words.Count(found.Tasks, "task")} of this execution {(found.Tasks == 1 ? "has" : "have")} a final status and a status_code below 3.",
            Evidence = ["A queue stopped from the dashboard, or a status set by hand, leaves the code as it was."],
            Blocked = new Blocked
            {
                Sweep = true,
                Text = sweep ? $"Harbor's sweep fails for every {found.Type} execution." : "Harbor's sweep never removes these tasks, nor their execution.",
            },
            Healing = new Healing(false, null, "Never, unless a late status of the same job arrives."),
            Repair = "Set status_code to 3 and end_time to update_time, once Redis neither holds the job open nor a worker has it; then recompute the execution.",
            Avoid = ["Do not set the code while the job lives: a code below 3 is what lets its true end in."],
        };
    }

    private static bool SweepFails(string type, long execution, Diagnosed diagnosed) => diagnosed.SweepBlocked.GetValueOrDefault(type)?.Contains(execution) ?? false;

    private static Healing Heals(InconsistentExecution found, Diagnosed diagnosed)
    {
        if (found.Kind == Inconsistency.ExecutionFinalWithOpenTask) return new Healing(false, null, "Not by itself: its open task must end first.");
        if (diagnosed.SchemaVersion < HarborSchema.WithSweepJob || found.Execution.Started is not { } started)
            return new Healing(false, null, "Never before Harbor 2.8.");
        // Looked at daily since 2.12.
        var at = started + Dangling + 24 * 3600;
        return new Healing(true, at, $"Harbor's sweep closes it by {Words.Time(at)}, a week after its start; its end_time stays empty.");
    }
}

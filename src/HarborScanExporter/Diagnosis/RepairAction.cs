namespace HarborScanExporter.Diagnosis;

/// <summary>What a repair does; a closed list (conventions 5.9).</summary>
internal enum RepairAction
{
    /// <summary>Harbor's API stops the job: PUT /jobservice/jobs/{job_id}.</summary>
    StopJob,

    /// <summary>The task's row gets the truthful final status, under a fence (harbor-facts 7.1), and its execution is recomputed.</summary>
    FinishTask,

    /// <summary>The execution's status is recomputed from its tasks (harbor-facts 7.2).</summary>
    RefreshExecution,

    /// <summary>An execution that never got a task becomes Error.</summary>
    CloseEmptyExecution,

    /// <summary>A final row gets the code of a final row.</summary>
    FixStatusCode,

    /// <summary>Harbor's API removes a robot account that a scan left behind.</summary>
    DeleteRobot,

    /// <summary>Harbor's API scans the artifact of a repaired scan again.</summary>
    Rescan,

    /// <summary>A final execution beyond Harbor's own retention is removed with its tasks.</summary>
    Sweep,
}

/// <summary>The words of <see cref="RepairAction"/> in the audit, in labels and in documents.</summary>
internal static class RepairActionWords
{
    /// <summary>All actions.</summary>
    public static IReadOnlyList<RepairAction> All { get; } = Enum.GetValues<RepairAction>();

    /// <summary>The word.</summary>
    public static string Word(this RepairAction action) => action switch
    {
        RepairAction.StopJob => "stop_job",
        RepairAction.FinishTask => "finish_task",
        RepairAction.RefreshExecution => "refresh_execution",
        RepairAction.CloseEmptyExecution => "close_empty_execution",
        RepairAction.FixStatusCode => "fix_status_code",
        RepairAction.DeleteRobot => "delete_robot",
        RepairAction.Rescan => "rescan",
        RepairAction.Sweep => "sweep",
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, null),
    };

    /// <summary>Whether Harbor's API does it; such an act is written down before it is asked for (conventions 5.10).</summary>
    public static bool IsOfApi(this RepairAction action) => action is RepairAction.StopJob or RepairAction.DeleteRobot or RepairAction.Rescan;
}

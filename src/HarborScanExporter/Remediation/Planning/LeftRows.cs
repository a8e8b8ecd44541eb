namespace HarborScanExporter.Remediation.Planning;

/// <summary>
/// Whether a row is still as a line of the audit left it. Functions of deploy/sql/03-remediation-role.sql compare and put back, as the role itself may read
/// no message and change no table. The server takes each column out of the image itself: a time that went through a client's type would lose the year
/// one, infinity or a microsecond.
/// </summary>
internal static class LeftRows
{
    /// <summary>The task of line <c>r</c> is in every column that a repair writes as the line's after image.</summary>
    public const string TaskIsAsLeft = "harbor_scan.task_is_left(r.task_id, r.after -> 'task')";

    /// <summary>Execution <c>e</c> is as the after image of line <c>r</c>, its revision too: nobody has written it since.</summary>
    public const string ExecutionIsAsLeft = "harbor_scan.execution_is_left(e.id, r.after -> 'execution')";

    /// <summary>Execution <c>e</c> is, but for its revision, as the before image of line <c>r</c>.</summary>
    public const string ExecutionIsAsBefore = "harbor_scan.execution_is_before(e.id, r.before -> 'execution')";

    /// <summary>The status of the execution in the before image of line <c>r</c>.</summary>
    public const string StatusBefore = "(r.before -> 'execution' -> 'status') #>> '{}'";
}

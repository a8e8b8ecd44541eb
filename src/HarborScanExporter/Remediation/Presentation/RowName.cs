namespace HarborScanExporter.Remediation.Presentation;

/// <summary>The row that a repair or a refusal speaks of, for people.</summary>
internal static class RowName
{
    /// <summary><c>task 12</c>, else <c>execution 9</c>, else <c>robot account 4</c>; null when it names none.</summary>
    public static string? Of(long? task, long? execution, long? robot) =>
        task is not null ? $"task {task}" : execution is not null ? $"execution {execution}" : robot is not null ? $"robot account {robot}" : null;
}

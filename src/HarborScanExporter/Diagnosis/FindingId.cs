namespace HarborScanExporter.Diagnosis;

/// <summary>The id of what is found, the same at every look: what is found of one row is one finding.</summary>
internal static class FindingId
{
    public static string OfTask(long id) => $"task-{id}";

    public static string OfExecution(long id) => $"execution-{id}";

    /// <summary>Of the tasks with a wrong code in one execution.</summary>
    public static string OfCodes(long executionId) => $"codes-{executionId}";
}

namespace HarborScanExporter.Diagnosis;

/// <summary>Why a repair changed nothing: the closed set of <c>reason</c> of harbor_scan_remediation_repair_failures_total.</summary>
internal static class RepairFailure
{
    /// <summary>The row had moved on.</summary>
    public const string LostRace = "lost_race";

    /// <summary>Another transaction held the row or its execution.</summary>
    public const string Locked = "locked";

    public const string Timeout = "timeout";
    public const string Connect = "connect";
    public const string Permission = "permission";
    public const string Constraint = "constraint";
    public const string ApiDenied = "api_denied";
    public const string ApiRefused = "api_refused";
    public const string ApiUnreachable = "api_unreachable";

    /// <summary>The exporter ended between the intent and its outcome, and the row shows no effect.</summary>
    public const string Interrupted = "interrupted";

    /// <summary>A pause came between the intent and the act: nothing was asked.</summary>
    public const string Paused = "paused";

    /// <summary>The audit could not be written; counted by the process alone.</summary>
    public const string Audit = "audit";

    public const string Other = "other";

    public static IReadOnlyList<string> All { get; } =
        [LostRace, Locked, Timeout, Connect, Permission, Constraint, ApiDenied, ApiRefused, ApiUnreachable, Interrupted, Paused, Audit, Other];

    private static readonly string[] OfRows = [LostRace, Locked, Timeout, Connect, Permission, Constraint, Other];
    private static readonly string[] OfApi = [LostRace, ApiDenied, ApiRefused, ApiUnreachable, Interrupted, Paused, Other];

    /// <summary>The reasons that the audit can hold of an action: those of rows, or those of an act of Harbor's API.</summary>
    public static IReadOnlyList<string> Of(RepairAction action) => action.IsOfApi() ? OfApi : OfRows;
}

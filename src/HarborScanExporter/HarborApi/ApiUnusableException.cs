using HarborScanExporter.Failures;

namespace HarborScanExporter.HarborApi;

/// <summary>Harbor's API cannot be used; the message names the mend and holds no secret.</summary>
internal sealed class ApiUnusableException(ApiTrouble trouble, Exception? inner = null) : Exception($"{trouble.What} {trouble.Mend}", inner), IKnownFailure
{
    public string Reason => Trouble.Reason;

    public bool SaysFix => true;

    /// <summary>Why.</summary>
    public ApiTrouble Trouble { get; } = trouble;
}

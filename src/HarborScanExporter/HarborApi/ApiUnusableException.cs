namespace HarborScanExporter.HarborApi;

/// <summary>Harbor's API cannot be used; the message names the mend and holds no secret.</summary>
internal sealed class ApiUnusableException(ApiTrouble trouble, Exception? inner = null) : Exception($"{trouble.What} {trouble.Mend}", inner)
{
    /// <summary>Why.</summary>
    public ApiTrouble Trouble { get; } = trouble;
}

using System.Globalization;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Benchmarks;

/// <summary>Settings with everything on that can be on without Harbor's API: Redis, every collector, the operations listener, remediation as a dry run.</summary>
internal sealed class EverythingOn : IDisposable
{
    private readonly string _token = Path.GetTempFileName();

    public EverythingOn(PrivateRedis redis)
    {
        File.WriteAllText(_token, Guid.NewGuid().ToString());
        Settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Setting.Names.RedisUrl] = redis.Url,
            [Setting.Names.CollectorsEnabled] = string.Join(',', CollectorNames.All),
            [Setting.Names.OperationsListen] = $"http://127.0.0.1:{OperationsPort.ToString(CultureInfo.InvariantCulture)}",
            [Setting.Names.OperationsTokenFile] = _token,
            [Setting.Names.Remediation] = "dry-run",
            [Setting.Names.RemediationDatabaseUsername] = FilledHarbor.RemediationRole,
            [Setting.Names.RemediationDatabasePassword] = FilledHarbor.Password,
        };
    }

    /// <summary>The port of the second listener.</summary>
    public int OperationsPort { get; } = PrivatePostgres.FreePort();

    /// <summary>Settings beyond those of the database.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; }

    public void Dispose() => File.Delete(_token);
}

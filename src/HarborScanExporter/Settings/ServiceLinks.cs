using System.Text.RegularExpressions;

namespace HarborScanExporter.Settings;

/// <summary>
/// The variables that Kubernetes injects into a pod for each service of its namespace. A service named
/// <c>harbor-scan-exporter</c> or <c>harbor-database</c> makes variables with our prefix, one of them under the very name of a setting.
/// </summary>
internal static partial class ServiceLinks
{
    /// <summary>Whether the variable is one that Kubernetes wrote and nobody meant for us.</summary>
    public static bool Wrote(string name, string value) =>
        Injected().IsMatch(name) || (name.EndsWith("_PORT", StringComparison.Ordinal) && Endpoint().IsMatch(value));

    [GeneratedRegex(@"(_SERVICE_HOST|_SERVICE_PORT(_.+)?|_PORT_[0-9]+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)\z")]
    private static partial Regex Injected();

    [GeneratedRegex(@"\A(tcp|udp|sctp)://")]
    private static partial Regex Endpoint();
}

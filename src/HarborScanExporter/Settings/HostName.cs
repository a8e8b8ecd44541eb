using System.Net;
using System.Net.Sockets;

namespace HarborScanExporter.Settings;

/// <summary>A host as people and Kubernetes write it: an IPv6 address has brackets or none.</summary>
internal static class HostName
{
    /// <summary>As it stands alone: an IPv6 address without brackets, anything else as it is.</summary>
    public static string Bare(string host) => host is ['[', .. var inner, ']'] && IsIPv6(inner) ? inner : host;

    /// <summary>As it stands in a URL: an IPv6 address in brackets, anything else as it is.</summary>
    public static string InUrl(string host) => IsIPv6(host) ? $"[{host}]" : host;

    /// <summary>Whether it is an IPv6 address without brackets, as far as its colons tell.</summary>
    public static bool LooksLikeIPv6(string host) => !host.StartsWith('[') && host.Count(character => character == ':') > 1;

    private static bool IsIPv6(string host) =>
        !host.StartsWith('[') && host.Contains(':', StringComparison.Ordinal) && !host.Contains('/', StringComparison.Ordinal)
        && IPAddress.TryParse(host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;
}

using System.Net;

namespace HarborScanExporter.Settings;

/// <summary>Where a listener listens.</summary>
/// <param name="Port">0 for one that the system chooses.</param>
/// <param name="Address">Null for every address, or for <see cref="IsLocalhost"/>.</param>
/// <param name="IsLocalhost">Both loopback addresses.</param>
internal sealed record ListenAddress(int Port, IPAddress? Address, bool IsLocalhost)
{
    public const string Localhost = "localhost";

    private const string Every = "://*:";

    /// <summary>Reads a URL that <see cref="SettingValues.Listen"/> accepted.</summary>
    public static ListenAddress Parse(string url)
    {
        var uri = new Uri(Readable(url));
        return new ListenAddress(uri.Port, url.Contains(Every, StringComparison.Ordinal) || !IPAddress.TryParse(uri.DnsSafeHost, out var address) ? null : address, uri.Host == Localhost);
    }

    /// <summary>The URL with the one sign for every address.</summary>
    public static string Normal(string url) => url.Replace("://+:", Every, StringComparison.Ordinal);

    /// <summary>The URL in a form that <see cref="Uri"/> can read.</summary>
    public static string Readable(string url) => Normal(url).Replace(Every, "://[::]:", StringComparison.Ordinal);
}

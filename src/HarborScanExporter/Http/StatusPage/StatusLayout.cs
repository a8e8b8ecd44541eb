using System.Security.Cryptography;
using System.Text;
using HarborScanExporter.Findings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>What every page of the operations listener has: head, style, script and the policy that admits these two alone.</summary>
internal static class StatusLayout
{
    private static readonly string Style = EmbeddedText.Of("status.css");
    private static readonly string Script = EmbeddedText.Of("status.js");

    /// <summary>Nothing from elsewhere, and of what stands in a page only this program's own style and script, told by their hashes.</summary>
    public static string ContentSecurityPolicy { get; } =
        $"default-src 'none'; style-src '{Hash(Style)}'; script-src '{Hash(Script)}'; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>A whole page.</summary>
    /// <param name="title">Its title, which also names the tab.</param>
    /// <param name="level">The colour of the tab's sign.</param>
    /// <param name="refreshSeconds">How often a reader without script sees it anew; 0 for never.</param>
    /// <param name="main">What is in it.</param>
    /// <param name="root">The way from the page's address to that of <see cref="StatusEndpoint.Path"/>: a proxy may serve all of this below a path of its own.</param>
    public static Markup Page(string title, ScanningLevel level, int refreshSeconds, Markup main, string root = "./") => $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{title}</title>
        <link rel="icon" href="{Icon(level)}">
        {(refreshSeconds > 0 ? Refresh(refreshSeconds) : Markup.Nothing)}<style>{Markup.Trusted(Style)}</style>
        </head>
        <body>
        <a class="skip" href="#main">Skip to the state of scanning</a>
        <main id="main" tabindex="-1" data-root="{root}">
        {main}
        </main>
        <footer>harbor-scan-exporter {ProductVersion.Version}, revision {ProductVersion.Revision}</footer>
        <script>{Markup.Trusted(Script)}</script>
        </body>
        </html>

        """;

    /// <summary>The word of a level as people read it.</summary>
    public static string Word(ScanningLevel level) => level == ScanningLevel.Ok ? "OK" : level.ToString();

    /// <summary>The class of a level or a severity in the style.</summary>
    public static string Class<T>(T word) where T : struct, Enum => word.ToString().ToLowerInvariant();

    private static Markup Refresh(int seconds) => $"""
        <noscript><meta http-equiv="refresh" content="{seconds}"></noscript>

        """;

    private static string Icon(ScanningLevel level)
    {
        var colour = level switch { ScanningLevel.Ok => "2e7d32", ScanningLevel.Warning => "b26a00", ScanningLevel.Critical => "c62828", _ => "6b7280" };
        return $"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='%23{colour}'/%3E%3C/svg%3E";
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}

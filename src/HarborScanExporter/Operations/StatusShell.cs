using HarborScanExporter.Diagnosis;

namespace HarborScanExporter.Operations;

/// <summary>The status page without data: what it is, and the two ways to give the token.</summary>
internal static class StatusShell
{
    /// <summary>The page; the form shows itself where its script runs.</summary>
    private static string Html { get; } = StatusLayout.Page("Harbor scans: sign in", ScanningLevel.Unknown, 0, SignIn()).ToString();

    /// <summary>Answers with it.</summary>
    public static Task ServeAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = StatusPage.ContentType;
        return context.Response.WriteAsync(Html, context.RequestAborted);
    }

    private static Markup SignIn() => $"""
        <div class="shell" id="shell">
        <h1>Harbor scans</h1>
        <p>Which of Harbor's image scans are stuck, since when, why, whom they block, and what mends them.</p>
        <form id="sign-in" hidden>
        <label for="token">Token</label>
        <input id="token" type="password" autocomplete="off" spellcheck="false" required aria-describedby="token-help token-problem">
        <p id="token-help" class="quiet">It is kept for this tab only, and forgotten when the tab is closed.</p>
        <p id="token-problem" class="problem" role="alert"></p>
        <button>Show the state of scanning</button>
        </form>
        <p><a href="{StatusPage.SignedInPath}">Sign in with the browser's own dialog</a>, which works without JavaScript: any user name, and the token as password.</p>
        <p class="quiet">The token is in the file that HARBOR_SCAN_OPERATIONS_TOKEN_FILE names.</p>
        </div>
        """;
}

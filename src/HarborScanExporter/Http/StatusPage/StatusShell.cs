using HarborScanExporter.Findings;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>The status page without data: what it is, and the two ways to give the token.</summary>
internal static class StatusShell
{
    /// <summary>Deeper than any route is.</summary>
    private const int MostSteps = 16;

    /// <summary>Answers with it.</summary>
    public static Task ServeAsync(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = StatusEndpoint.ContentType;
        return context.Response.WriteAsync(Html(RootOf(context.Request.Path)).ToString(), context.RequestAborted);
    }

    /// <summary>The page; the form shows itself where its script runs.</summary>
    private static Markup Html(string root) => StatusLayout.Page("Harbor scans: sign in", ScanningLevel.Unknown, 0, SignIn(root), root);

    /// <summary>It is shown at every address that asks for a token, whatever its depth.</summary>
    private static string RootOf(PathString path)
    {
        var steps = (path.Value ?? "/").Count(character => character == '/') - 1;
        return steps <= 0 ? "./" : string.Concat(Enumerable.Repeat("../", Math.Min(steps, MostSteps)));
    }

    private static Markup SignIn(string root) => $"""
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
        <p><a href="{root}{StatusEndpoint.SignedInPath[1..]}">Sign in with the browser's own dialog</a>, which works without JavaScript: any user name, and the token as password.</p>
        <p class="quiet">The token is in the file that HARBOR_SCAN_OPERATIONS_TOKEN_FILE names.</p>
        </div>
        """;
}

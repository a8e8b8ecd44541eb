using HarborScanExporter.Findings;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>
/// The status page for people: one look at Harbor, written on the server and readable without script. GET of / shows the empty page to whoever
/// brings no token; GET of /status asks for it, so that a browser opens its dialog.
/// </summary>
internal sealed class StatusEndpoint(StatusGate gate)
{
    public const string Path = "/";
    public const string SignedInPath = "/status";
    public const string ContentType = "text/html; charset=utf-8";

    /// <summary>The page with what it found: 200 also when the database is away, which the page then says; 400 when a parameter is wrong.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        context.Response.ContentType = ContentType;
        if (StatusQuery.Read(context.Request.Query, out var bad) is not { } query)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync(Refusal(bad!).ToString(), context.RequestAborted);
            return;
        }
        StatusView view;
        try
        {
            view = await gate.ReadAsync(context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        await context.Response.WriteAsync(Html(view, query).ToString(), context.RequestAborted);
    }

    private static Markup Html(StatusView view, StatusQuery query)
    {
        var report = view.Report;
        var word = StatusLayout.Word(report.State.Level);
        return StatusLayout.Page($"{word}: Harbor scans", report.State.Level, query.RefreshSeconds, $"""
            <header>
            <h1>Harbor scans</h1>
            {Looked(report, query)}
            </header>
            <p id="state" class="state {StatusLayout.Class(report.State.Level)}" role="status"><strong>{word}</strong> <span>{report.State.Sentence}</span></p>
            {StatusNumbers.Of(view)}
            {(report.Problem is null ? StatusFindings.Of(report, query) : Markup.Nothing)}
            {StatusRepairs.Of(view)}
            {StatusSections.Of(view)}
            """);
    }

    private static Markup Looked(FindingsReport report, StatusQuery query)
    {
        var seen = report.Now is { } now ? Seen(now) : Unseen;
        return $"""
            <p class="quiet looked" id="looked" data-refresh="{query.RefreshSeconds}">{seen}; {(query.RefreshSeconds > 0 ? Refreshing(query) : Resting(query))} <button id="now" type="button" hidden>Refresh now</button> <button id="forget" type="button" hidden>Forget the token</button></p>
            <p id="stale" class="problem" role="alert"></p>
            """;
    }

    private static Markup Unseen { get; } = Markup.Trusted("Harbor could not be seen");

    private static Markup Seen(double now) =>
        $"""Seen <time datetime="{StatusNumbers.Instant(now)}">{StatusNumbers.Day(now)} <b>{StatusNumbers.Clock(now)}</b> UTC</time> by the database's clock""";

    private static Markup Refreshing(StatusQuery query) =>
        $"""refreshes every {query.RefreshSeconds} s <a id="pause" href="{query.Refreshing(0)}">Stop refreshing</a>""";

    private static Markup Resting(StatusQuery query) =>
        $"""does not refresh by itself <a id="pause" href="{query.Refreshing(StatusQuery.DefaultRefreshSeconds)}">Refresh every {StatusQuery.DefaultRefreshSeconds} s</a>""";

    private static Markup Refusal(BadParameter bad) => StatusLayout.Page("Harbor scans: a parameter is wrong", ScanningLevel.Unknown, 0, $"""
        <h1>Harbor scans</h1>
        <p class="state unknown" role="status"><strong>Not shown</strong> <span>The address of this page holds a parameter that cannot be used. <code>{bad.Name}</code>: {bad.Detail}</span></p>
        <p><a href="?">Show everything</a></p>
        """);
}

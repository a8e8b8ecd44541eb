using System.Globalization;
using HarborScanExporter.Http.StatusPage;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace HarborScanExporter.Http;

/// <summary>One route of the operations listener.</summary>
/// <param name="Methods">What it answers; GET comes with HEAD.</param>
/// <param name="Path">The path; a segment in braces is a parameter, which becomes a route value.</param>
/// <param name="Serve">Answers a request that brought the token.</param>
internal sealed record OperationsRoute(IReadOnlyList<string> Methods, string Path, RequestDelegate Serve)
{
    /// <summary>What a body may have at any route, and before the token was judged: it is passed over, so that the answer arrives.</summary>
    public const long LeastBodyBytes = 64 * 1024;

    /// <summary>The most bytes of a body.</summary>
    public long MostBodyBytes { get; init; } = LeastBodyBytes;

    /// <summary>Whether a request's path is this route's, whatever its method.</summary>
    public bool Fits(PathString path) => ValuesOf(path) is not null;

    /// <summary>The parameters in a request's path; null when it is another route's.</summary>
    public RouteValueDictionary? ValuesOf(PathString path)
    {
        var values = new RouteValueDictionary();
        var (wanted, given) = (Path.Split('/'), (path.Value ?? "").Split('/'));
        if (wanted.Length != given.Length) return null;
        foreach (var (want, have) in wanted.Zip(given))
        {
            if (want is ['{', .. var name, '}'])
            {
                if (have.Length == 0) return null;
                values[name] = have;
            }
            else if (!want.Equals(have, StringComparison.OrdinalIgnoreCase)) return null;
        }
        return values;
    }
}

/// <summary>
/// Answers what comes in at the second listener: the token first, then the route, then the method, so that without the token nothing can be
/// told apart.
/// </summary>
internal sealed class OperationsListener
{
    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] Posting = [HttpMethods.Post];

    private readonly OperationsAccess _access;

    public OperationsListener(
        OperationsAccess access, StatusEndpoint page, FindingsEndpoint findings, PlanEndpoint plan, RepairsEndpoint repairs, HistoryEndpoint history, UndoEndpoint undo,
        AlertsEndpoint alerts)
    {
        _access = access;
        Routes =
        [
            new(Reading, StatusEndpoint.Path, page.ServeAsync),
            new(Reading, StatusEndpoint.SignedInPath, page.ServeAsync),
            new(Reading, FindingsEndpoint.Path, findings.ServeAsync),
            new(Reading, OpenApi.Path, OpenApi.ServeAsync),
            new(Reading, PlanEndpoint.Path, plan.ServeAsync),
            new(Posting, RepairsEndpoint.Path, repairs.ServeAsync),
            new(Reading, RepairsEndpoint.Path, history.ServeAsync),
            new(Posting, UndoEndpoint.Path, undo.ServeAsync),
            new(Posting, AlertsEndpoint.Path, alerts.ServeAsync) { MostBodyBytes = AlertsEndpoint.MostBodyBytes },
        ];
    }

    /// <summary>Every route.</summary>
    public IReadOnlyList<OperationsRoute> Routes { get; }

    /// <summary>Answers a request; one of the other listener is passed on.</summary>
    public Task ServeAsync(HttpContext context, RequestDelegate next) => Listener.Operations.Took(context) ? AnswerAsync(context) : next(context);

    private async Task AnswerAsync(HttpContext context)
    {
        Limit(context, OperationsRoute.LeastBodyBytes);
        Protect(context.Response.Headers);
        // The empty page is the one thing that asks for no token: it is where a person gives it.
        if (context.Request.Path == StatusEndpoint.Path && Reads(context) && StringValues.IsNullOrEmpty(context.Request.Headers.Authorization))
        {
            await StatusShell.ServeAsync(context, StatusCodes.Status200OK);
            return;
        }
        var (access, refusedFor) = await _access.JudgeAsync(context);
        await (access switch
        {
            Access.Granted => RouteAsync(context),
            Access.Refused => RefuseAsync(context, refusedFor),
            _ => ChallengeAsync(context),
        });
    }

    private Task RouteAsync(HttpContext context)
    {
        var routes = Routes.Where(route => route.Fits(context.Request.Path)).ToArray();
        if (routes.Length == 0) return Problem.WriteAsync(context, StatusCodes.Status404NotFound, $"There is no such route. {OpenApi.Path} describes those there are.");
        if (routes.FirstOrDefault(route => route.Methods.Contains(context.Request.Method)) is { } route)
        {
            Limit(context, route.MostBodyBytes);
            context.Request.RouteValues = route.ValuesOf(context.Request.Path)!;
            return route.Serve(context);
        }
        string[] methods = [.. routes.SelectMany(route => route.Methods)];
        context.Response.Headers.Allow = string.Join(", ", methods);
        return Problem.WriteAsync(context, StatusCodes.Status405MethodNotAllowed, $"This route answers {string.Join(" and ", methods)}.");
    }

    private static void Limit(HttpContext context, long bytes)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body) body.MaxRequestBodySize = bytes;
    }

    private static Task ChallengeAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = OperationsAccess.Challenge;
        // Whoever leaves the browser's dialog sees the page that takes the token another way.
        return Reads(context) && context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
            ? StatusShell.ServeAsync(context, StatusCodes.Status401Unauthorized)
            : Problem.WriteAsync(context, StatusCodes.Status401Unauthorized,
                "Send the token as Authorization: Bearer, or as the password of HTTP Basic with any user name; Basic reads only.");
    }

    private static Task RefuseAsync(HttpContext context, TimeSpan refusedFor)
    {
        context.Response.Headers.RetryAfter = ((int)Math.Ceiling(refusedFor.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return Problem.WriteAsync(context, StatusCodes.Status429TooManyRequests, "This token is wrong, and so were too many others from this address. Wait a minute.");
    }

    private static bool Reads(HttpContext context) => HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);

    private static void Protect(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = StatusLayout.ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = "no-store";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
    }
}

using HarborScanExporter.Scraping;

namespace HarborScanExporter.Operations;

/// <summary>
/// /healthz tells of the process alone, and is what an orchestrator asks: a database that is away must not take the target out of the
/// scrape. /readyz asks the database, for people.
/// </summary>
internal static class HealthEndpoints
{
    /// <summary>200 as long as the process answers.</summary>
    public static Task Healthz(HttpContext context) => WriteAsync(context, StatusCodes.Status200OK, "ok\n");

    /// <summary>200 when the database answers within two seconds, else 503 with the reason.</summary>
    public static async Task ReadyzAsync(HttpContext context, Readiness readiness)
    {
        try
        {
            if (await readiness.ProblemAsync(context.RequestAborted) is { } reason)
                await WriteAsync(context, StatusCodes.Status503ServiceUnavailable, $"not ready ({reason}). {FailureReason.Mend(reason)}\n");
            else
                await WriteAsync(context, StatusCodes.Status200OK, "ready\n");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer.
        }
    }

    private static Task WriteAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}

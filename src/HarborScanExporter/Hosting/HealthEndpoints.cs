using HarborScanExporter.Failures;

namespace HarborScanExporter.Hosting;

/// <summary>
/// /healthz tells of the process alone, and is what an orchestrator asks: a database that is away must not take the target out of the
/// scrape. /readyz asks the database, for people.
/// </summary>
internal static class HealthEndpoints
{
    /// <summary>200 as long as the process answers.</summary>
    public static Task Healthz(HttpContext context) => WriteAsync(context, StatusCodes.Status200OK, "ok\n");

    /// <summary>200 when the database answers within two seconds, else 503 with the reason.</summary>
    public static async Task ReadyzAsync(HttpContext context, Readiness readiness, TimeProvider time)
    {
        try
        {
            await readiness.AskAsync().WaitAsync(Readiness.Limit, time, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer.
            return;
        }
        catch (Exception error)
        {
            // Whatever is wrong with the database, this process answers.
            await WriteAsync(context, StatusCodes.Status503ServiceUnavailable, $"not ready {FailureReason.Told(error)}\n");
            return;
        }
        await WriteAsync(context, StatusCodes.Status200OK, "ready\n");
    }

    private static Task WriteAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}

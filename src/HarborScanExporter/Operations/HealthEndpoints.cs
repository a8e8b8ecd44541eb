using HarborScanExporter.Database;
using HarborScanExporter.Scraping;

namespace HarborScanExporter.Operations;

/// <summary>
/// /healthz tells of the process alone, and is what an orchestrator asks: a database that is away must not take the target out of the
/// scrape. /readyz asks the database, for people.
/// </summary>
internal static class HealthEndpoints
{
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(2);

    /// <summary>200 as long as the process answers.</summary>
    public static Task Healthz(HttpContext context) => WriteAsync(context, StatusCodes.Status200OK, "ok\n");

    /// <summary>200 when the database answers within two seconds, else 503 with the reason.</summary>
    public static async Task ReadyzAsync(HttpContext context, HarborDatabase database, TimeProvider time)
    {
        using var limit = new CancellationTokenSource(ReadyLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            await database.PingAsync(either.Token).WaitAsync(ReadyLimit, time, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception error)
        {
            // Whatever is wrong with the database, this process answers.
            var reason = FailureReason.Of(error);
            await WriteAsync(context, StatusCodes.Status503ServiceUnavailable, $"not ready ({reason}). {FailureReason.Mend(reason)}\n");
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

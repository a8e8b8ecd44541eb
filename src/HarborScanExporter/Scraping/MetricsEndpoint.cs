using HarborScanExporter.Settings;
using Prometheus;

namespace HarborScanExporter.Scraping;

/// <summary>GET and HEAD of /metrics, as text or OpenMetrics.</summary>
internal sealed class MetricsEndpoint(ScrapeGate gate, ProcessCounters counters, RemediationCounters remediation, ExporterSettings settings, Remembering? remembering = null)
{
    /// <summary>Always 200: that the database is away is a value, not an error of this process.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var timeout = ScrapeGate.Deadline(settings.ScrapeTimeout, context.Request.Headers["X-Prometheus-Scrape-Timeout-Seconds"]);
        Exposition exposition;
        try
        {
            exposition = await gate.ScrapeAsync(timeout, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        // The library's middleware chooses the format; it is made for one registry, and ours lives for one document.
        var registry = exposition.ToRegistry(counters, remediation, remembering);
        var document = new MetricServerMiddleware(_ => Task.CompletedTask, new MetricServerMiddleware.Settings { Registry = registry });
        await document.Invoke(context);
    }
}

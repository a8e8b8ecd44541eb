using System.Runtime.CompilerServices;
using HarborScanExporter.Metrics.Collectors;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;
using Microsoft.Net.Http.Headers;
using Prometheus;

namespace HarborScanExporter.Metrics;

/// <summary>GET and HEAD of /metrics, as text or OpenMetrics.</summary>
internal sealed class MetricsEndpoint(
    ObservationGate gate, ObservationCounts counts, ProcessUse use, RemediationCounters remediation, ExporterSettings settings,
    Reconciliation? reconciliation = null, ScanCounters? scans = null)
{
    private readonly IReadOnlyList<Collectors.ICollector> _collectors = CollectorSet.All(settings.AgeThresholds);

    /// <summary>What is told of an observation, made once for everybody who shares it.</summary>
    private readonly ConditionalWeakTable<HarborObservation, Exposition> _told = [];

    /// <summary>Bytes of an answer that wait for a client to read them.</summary>
    public const int WrittenAhead = 16 * 1024;

    /// <summary>Always 200: that the database is away is a value, not an error of this process.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var timeout = ObservationGate.Deadline(settings.ScrapeTimeout, context.Request.Headers["X-Prometheus-Scrape-Timeout-Seconds"]);
        var format = Format(context.Request);
        try
        {
            var seen = await gate.ObserveAsync(timeout, context.RequestAborted);
            var exposition = _told.GetValue(seen, one => Exposition.Of(one, _collectors));
            await SendAsync(context, format, await exposition.DocumentAsync(format, () => WriteAsync(exposition, format)));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the answer.
        }
    }

    private async Task<ReadOnlyMemory<byte>> WriteAsync(Exposition exposition, ExpositionFormat format)
    {
        var ofProcess = new Samples();
        ProcessCounters.Write(counts, ofProcess);
        remediation.Write(ofProcess);
        if (reconciliation is not null) ReconciliationFamilies.Write(reconciliation.State, ofProcess);
        scans?.Write(ofProcess);
        use.Write(ofProcess);
        using var document = new MemoryStream();
        await exposition.ToRegistry(ofProcess).CollectAndExportAsTextAsync(document, format, CancellationToken.None);
        return document.GetBuffer().AsMemory(0, (int)document.Length);
    }

    private static async Task SendAsync(HttpContext context, ExpositionFormat format, ReadOnlyMemory<byte> document)
    {
        var response = context.Response;
        response.ContentType = format == ExpositionFormat.OpenMetricsText
            ? PrometheusConstants.OpenMetricsContentTypeWithVersionAndEncoding
            : PrometheusConstants.TextContentTypeWithVersionAndEncoding;
        response.ContentLength = document.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        // Piece by piece: of a document that is given at once the server would keep a copy for each client that does not read.
        for (; !document.IsEmpty; document = document[Math.Min(WrittenAhead, document.Length)..])
            await response.BodyWriter.WriteAsync(document[..Math.Min(WrittenAhead, document.Length)], context.RequestAborted);
    }

    /// <summary>The format that the scraper likes best; text when it likes neither. A browser may name one in the query.</summary>
    private static ExpositionFormat Format(HttpRequest request)
    {
        var accepted = request.Query.TryGetValue("accept", out var named) ? named : request.Headers.Accept;
        if (!MediaTypeHeaderValue.TryParseList(accepted, out var types)) return ExpositionFormat.PrometheusText;
        var first = types.Where(type => type.MediaType.Equals(PrometheusConstants.TextContentType, StringComparison.OrdinalIgnoreCase)
                || type.MediaType.Equals(PrometheusConstants.OpenMetricsContentType, StringComparison.OrdinalIgnoreCase))
            .MaxBy(type => type.Quality ?? 1);
        return first is not null && first.MediaType.Equals(PrometheusConstants.OpenMetricsContentType, StringComparison.OrdinalIgnoreCase)
            ? ExpositionFormat.OpenMetricsText
            : ExpositionFormat.PrometheusText;
    }
}

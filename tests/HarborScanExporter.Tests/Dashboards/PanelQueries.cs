using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>Runs a query as Grafana does: one value now, or a line over the last seconds.</summary>
internal static class PanelQueries
{
    private static readonly TimeSpan Range = TimeSpan.FromSeconds(10);

    /// <summary>The series with at least one number in them, as a panel draws them.</summary>
    public static async Task<IReadOnlyList<PrometheusSeries>> DrawAsync(this PrometheusServer prometheus, Target target,
        GrafanaSelection selection)
    {
        var expression = selection.Fill(target.Expression);
        var series = target.Instant
            ? await prometheus.QueryAsync(expression)
            : await prometheus.QueryRangeAsync(expression, Range, TimeSpan.FromSeconds(1));
        return [.. series.Where(one => one.Samples.Any(sample => double.IsFinite(sample.Value)))];
    }
}

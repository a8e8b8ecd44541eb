using System.Net.Http.Json;
using HarborScanExporter.Metrics;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>A real Alertmanager posts to the exporter with the token of its credentials_file.</summary>
public sealed class AlertmanagerWakesTests
{
    [Fact]
    public async Task An_alert_is_delivered_with_the_token_and_the_rows_are_repaired()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        var task = await repairs.LoseScanAsync();
        await repairs.SeeTwiceAsync(time);
        await using var alertmanager = await AlertmanagerServer.StartAsync($$"""
            route:
              receiver: repair
              group_by: [alertname]
              group_wait: 0s
              group_interval: 1s
              repeat_interval: 1s
            receivers:
              - name: repair
                webhook_configs:
                  - url: {{repairs.Operated.Address}}api/v1/alerts
                    send_resolved: true
                    http_config:
                      authorization:
                        credentials_file: {{repairs.Operated.TokenFile}}
            """);
        using var http = new HttpClient();
        var labels = new Dictionary<string, string> { ["alertname"] = "HarborScanLost", ["severity"] = "warning", ["type"] = "IMAGE_SCAN" };
        await SendAsync(new { labels, annotations = new { summary = "Scans are lost" } });
        await Eventually.HoldsAsync(
            async () => await repairs.TaskAsync(task) == "Error 3", TimeSpan.FromSeconds(30),
            () => alertmanager.Log + string.Join(Environment.NewLine, repairs.Exporter.Logs.GetSnapshot().Select(record => record.Message)));
        Assert.Equal("alert HarborScanLost finish_task done", await repairs.AuditAsync());

        await SendAsync(new { labels, endsAt = "2026-01-01T00:00:00Z" });
        await Eventually.HoldsAsync(
            () => Task.FromResult(repairs.Counted(RemediationCounters.Rejected).Contains("resolved 1", StringComparison.Ordinal)), TimeSpan.FromSeconds(30),
            () => $"Nothing resolved came in: {repairs.Counted(RemediationCounters.Rejected)}");
        // Not one delivery was refused, which Alertmanager would tell.
        Assert.DoesNotContain("unexpected status code", alertmanager.Log, StringComparison.Ordinal);
        Assert.Equal("alert HarborScanLost finish_task done", await repairs.AuditAsync());

        async Task SendAsync(object alert)
        {
            using var answer = await http.PostAsJsonAsync($"http://{alertmanager.Address}/api/v2/alerts", new[] { alert }, TestContext.Current.CancellationToken);
            answer.EnsureSuccessStatusCode();
        }
    }
}

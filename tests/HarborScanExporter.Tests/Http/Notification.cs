using System.Text;

namespace HarborScanExporter.Tests.Http;

/// <summary>Bodies of Alertmanager's webhook, as 0.25 to 0.34 write them.</summary>
internal static class Notification
{
    /// <summary>A group of alerts that fire.</summary>
    public static string Of(params string[] alerts) => Of("firing", 0, [.. alerts.Select(alert => (alert, "firing"))]);

    /// <summary>A group.</summary>
    /// <param name="status">Its status.</param>
    /// <param name="truncated">How many alerts max_alerts cut off.</param>
    /// <param name="alerts">Name and status of each that is left.</param>
    public static string Of(string status, int truncated, params (string Name, string Status)[] alerts)
    {
        var common = alerts.Select(alert => alert.Name).Distinct().Count() == 1 ? $$"""{"alertname":"{{alerts[0].Name}}","severity":"warning"}""" : """{"severity":"warning"}""";
        return $$"""
            {"receiver":"repair","status":"{{status}}","alerts":[{{string.Join(',', alerts.Select(alert => Alert(alert.Name, alert.Status)))}}],"groupLabels":{"alertname":"{{alerts[0].Name}}"},
             "commonLabels":{{common}},"commonAnnotations":{"summary":"Scans of Harbor are lost"},"externalURL":"http://alertmanager:9093","version":"4",
             "groupKey":"{}/{alertname=~\"HarborScan.*\"}:{alertname=\"{{alerts[0].Name}}\"}","truncatedAlerts":{{truncated}}}
            """;
    }

    /// <summary>A body as a request sends it.</summary>
    public static StringContent Content(string body) => new(body, Encoding.UTF8, "application/json");

    private static string Alert(string name, string status) => $$"""
        {"status":"{{status}}","labels":{"alertname":"{{name}}","instance":"exporter:9109","job":"harbor-scan-exporter","severity":"warning","type":"IMAGE_SCAN","verdict":"lost"},
         "annotations":{"description":"3 scans \"lost\" ☃","runbook_url":"https://github.com/goharbor/harbor"},"startsAt":"2026-09-21T12:00:00.123456789Z",
         "endsAt":"{{(status == "firing" ? "0001-01-01T00:00:00Z" : "2026-09-21T12:30:00Z")}}","generatorURL":"http://prometheus:9090/graph?g0.expr=x","fingerprint":"1f2e3d4c5b6a7988"}
        """;
}

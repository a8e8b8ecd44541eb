using System.Net;
using System.Text;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Hosting;

/// <summary>GET of /: what this is, its version, its links, and its settings without secrets.</summary>
internal static class LandingPage
{
    /// <summary>The page; it never changes while the process runs.</summary>
    public static string Html(ExporterSettings settings)
    {
        var rows = new StringBuilder();
        foreach (var setting in Setting.All.Where(setting => !setting.IsSecret))
        {
            rows.Append("<tr><td><code>").Append(setting.Name).Append("</code></td><td><code>")
                .Append(WebUtility.HtmlEncode(settings.Shown.GetValueOrDefault(setting.Name, ""))).AppendLine("</code></td></tr>");
        }
        // Not a link: the address to listen on is rarely the one to ask.
        var operations = settings.Operations is null ? ""
            : $"<li>the status page and the findings: <code>{WebUtility.HtmlEncode(settings.Operations.Listen)}/</code>, with the token of <code>{Setting.Names.OperationsTokenFile}</code></li>{Environment.NewLine}";
        return $$"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Harbor Scan Exporter</title>
            <style>
            :root { color-scheme: light dark; }
            body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
            table { border-collapse: collapse; width: 100%; }
            td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884; overflow-wrap: anywhere; }
            </style>
            </head>
            <body>
            <h1>Harbor Scan Exporter</h1>
            <p>Counts Harbor's scan executions and tasks by status and age, says which are stuck and why, and shows it to Prometheus.
            Version {{WebUtility.HtmlEncode(ProductVersion.Version)}}, revision {{WebUtility.HtmlEncode(ProductVersion.Revision)}}.</p>
            <ul>
            <li><a href="metrics">/metrics</a>: the metrics</li>
            <li><a href="healthz">/healthz</a>: this process lives</li>
            <li><a href="readyz">/readyz</a>: Harbor's database can be reached</li>
            {{operations}}</ul>
            <h2>Settings</h2>
            <table>
            <thead><tr><th>Setting</th><th>Value</th></tr></thead>
            <tbody>
            {{rows}}</tbody>
            </table>
            </body>
            </html>

            """;
    }
}

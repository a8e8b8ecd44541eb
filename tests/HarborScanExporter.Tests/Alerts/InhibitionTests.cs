using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Alerts;

public sealed class InhibitionTests
{
    private static readonly string s_example = Repository.PathOf("alerts", "alertmanager.example.yml");

    [Fact]
    public async Task The_example_is_a_valid_configuration()
    {
        var result = await Tool.RunAsync("amtool", ["check-config", s_example]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("2 inhibit rules", result.All, StringComparison.Ordinal);
    }

    [Fact]
    public void The_example_has_the_inhibition_rules_of_the_snippet_and_no_others()
    {
        static string Rules(string text) => text[text.IndexOf("inhibit_rules:", StringComparison.Ordinal)..].Trim();
        Assert.Equal(Rules(Repository.Read("alerts", "alertmanager.inhibit.yml")), Rules(File.ReadAllText(s_example)));
    }

    [Fact]
    public void Who_is_blind_inhibits_every_alert_on_data_and_nothing_else()
    {
        var rules = Yaml.Read(Repository.PathOf("alerts", "alertmanager.inhibit.yml")).Items("inhibit_rules");
        Assert.Equal(2, rules.Count);
        Assert.Equal(["HarborScanExporterBlind", "HarborScanExporterDown"], Alerts(rules[0].Words("source_matchers")));
        Assert.Equal(AlertRules.OfData.Select(alert => alert.Name).Order(StringComparer.Ordinal), Alerts(rules[0].Words("target_matchers")));
        Assert.Equal(["harbor", "job"], rules[0].Words("equal"));
        Assert.Equal(["HarborScanStuckLong"], Alerts(rules[1].Words("source_matchers")));
        Assert.Equal(["HarborScanHung", "HarborScanLost", "HarborScanStuck", "HarborScanUnreported"], Alerts(rules[1].Words("target_matchers")));
        Assert.Equal(["harbor", "job", "type", "verdict"], rules[1].Words("equal"));

        static IEnumerable<string> Alerts(IReadOnlyList<string> matchers) =>
            Regex.Match(Assert.Single(matchers), "^alertname=~?\"(.+)\"$").Groups[1].Value.Split('|').Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("watchdog", "HarborScanWatchdog", "info")]
    [InlineData("pager", "HarborScanStuckLong", "critical")]
    [InlineData("operators", "HarborScanLost", "warning")]
    [InlineData("operators", "SomethingElse", "critical")]
    public async Task The_example_routes_by_severity(string receiver, string alert, string severity)
    {
        var result = await Tool.RunAsync("amtool", ["config", "routes", "test", $"--config.file={s_example}", $"alertname={alert}", $"severity={severity}"]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(receiver, result.Output.Trim());
    }

    [Fact]
    public async Task Alertmanager_inhibits_what_the_blind_cannot_see_and_what_lasts_longer()
    {
        await using var alertmanager = await RunningAlertmanager.StartAsync();
        await alertmanager.PostAsync(
            new("HarborScanExporterBlind", "blind"),
            new("HarborScanLost", "blind", "IMAGE_SCAN", "lost"),
            new("HarborScanNoSuccess", "blind"),
            new("HarborScanClockSkew", "blind"),
            new("HarborScanCollectorFailing", "blind"),
            new("HarborScanWatchdog", "blind"),
            new("HarborScanStuckLong", "seen", "IMAGE_SCAN", "lost"),
            new("HarborScanLost", "seen", "IMAGE_SCAN", "lost"),
            new("HarborScanLost", "seen", "SCAN_ALL", "lost"),
            new("HarborScanUnreported", "seen", "IMAGE_SCAN", "unreported"),
            new("HarborScanStuck", "seen", "IMAGE_SCAN", "overdue"),
            new("HarborScanHung", "seen", "IMAGE_SCAN", "hung"),
            new("HarborScanJobserviceDown", "seen"),
            new("HarborScanJobserviceDown", "blind"),
            new("HarborScanJobserviceUnreadable", "blind"),
            new("HarborScanAllBlocked", "seen"),
            new("HarborScanNoSuccess", "seen"),
            new("HarborScanStuckLong", "other", "SBOM", "hung"),
            new("HarborScanHung", "other", "SBOM", "hung"),
            new("HarborScanExporterDown", ""),
            new("HarborScanRobotsLeaked", ""),
            new("HarborScanRobotsLeaked", "other"));
        string[] expected =
        [
            "HarborScanHung other SBOM hung",
            "HarborScanJobserviceDown blind",
            "HarborScanLost blind IMAGE_SCAN lost",
            "HarborScanLost seen IMAGE_SCAN lost",
            "HarborScanNoSuccess blind",
            "HarborScanRobotsLeaked",
        ];
        string[] found = [];
        await Eventually.HoldsAsync(async () => (found = await alertmanager.InhibitedAsync()).SequenceEqual(expected), TimeSpan.FromSeconds(20),
            () => $"Inhibited are: {string.Join(", ", found)}\n{alertmanager.Log}");
        Assert.Equal(22, await alertmanager.CountAsync());
    }

    private sealed record PostedAlert(string Name, string Harbor, string Type = "", string Verdict = "")
    {
        /// <summary>As Prometheus sends it: an empty label is no label.</summary>
        public object Json => new
        {
            labels = new Dictionary<string, string>
            {
                ["alertname"] = Name,
                ["harbor"] = Harbor,
                ["job"] = "harbor-scan-exporter",
                ["type"] = Type,
                ["verdict"] = Verdict,
            }.Where(label => label.Value.Length > 0).ToDictionary(label => label.Key, label => label.Value),
        };
    }

    /// <summary>A real Alertmanager with the example's configuration, its receivers turned to a closed port.</summary>
    private sealed class RunningAlertmanager : IAsyncDisposable
    {
        private readonly RunningTool _tool;
        private readonly HttpClient _client;
        private readonly string _folder;

        private RunningAlertmanager(RunningTool tool, HttpClient client, string folder) => (_tool, _client, _folder) = (tool, client, folder);

        public string Log => _tool.Log;

        public static async Task<RunningAlertmanager> StartAsync()
        {
            var folder = Directory.CreateTempSubdirectory("alertmanager-").FullName;
            var configuration = Path.Combine(folder, "alertmanager.yml");
            await File.WriteAllTextAsync(configuration, Regex.Replace(await File.ReadAllTextAsync(s_example), @"http://[a-z]+\.example:8080", "http://127.0.0.1:9"));
            var port = Tool.FreePort();
            var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
            var tool = await RunningTool.StartAsync("prometheus-alertmanager",
                [$"--config.file={configuration}", $"--storage.path={folder}", $"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
                async () => (await client.GetAsync("-/ready")).IsSuccessStatusCode);
            return new RunningAlertmanager(tool, client, folder);
        }

        public async Task PostAsync(params PostedAlert[] alerts)
        {
            using var response = await _client.PostAsJsonAsync("api/v2/alerts", alerts.Select(alert => alert.Json));
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        }

        public async Task<int> CountAsync() => (await AlertsAsync()).Count;

        public async Task<string[]> InhibitedAsync() =>
        [
            .. (await AlertsAsync())
                .Where(alert => alert.GetProperty("status").GetProperty("inhibitedBy").GetArrayLength() > 0)
                .Select(alert => alert.GetProperty("labels"))
                .Select(labels => string.Join(' ', new[] { "alertname", "harbor", "type", "verdict" }
                    .Where(name => labels.TryGetProperty(name, out _)).Select(name => labels.GetProperty(name).GetString())))
                .Order(StringComparer.Ordinal),
        ];

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await _tool.DisposeAsync();
            Directory.Delete(_folder, recursive: true);
        }

        private async Task<IReadOnlyList<JsonElement>> AlertsAsync() =>
            await _client.GetFromJsonAsync<List<JsonElement>>("api/v2/alerts") ?? [];
    }
}

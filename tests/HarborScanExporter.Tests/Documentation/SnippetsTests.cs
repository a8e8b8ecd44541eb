using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Alerts;
using HarborScanExporter.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace HarborScanExporter.Tests.Documentation;

/// <summary>What the README gives to copy.</summary>
public sealed class SnippetsTests
{
    [Fact]
    public void Every_YAML_snippet_parses() => Assert.Equal(2, MarkdownDocument.All.SelectMany(document => document.Blocks("yaml")).Select(Parsed).Count());

    [Fact]
    public void The_Compose_file_uses_settings_of_the_program_and_the_installers_network()
    {
        var compose = Parsed(Snippet("services:"));
        var service = (YamlMappingNode)compose["services"]["harbor-scan-exporter"];
        var environment = service.Texts("environment").ToDictionary(StringComparer.Ordinal);
        Assert.Equal("/run/secrets/database", environment[Setting.Names.DatabasePasswordFile]);
        Assert.Empty(environment.Keys.Except(Setting.All.Select(setting => setting.Name)));
        // The file of the secret is mounted in the container only.
        environment.Remove(Setting.Names.DatabasePasswordFile);
        Assert.Empty(SettingsReader.Read(environment, new Dictionary<string, string>()).Errors);
        Assert.Equal("harbor_harbor", compose["networks"]["harbor"]["name"].ToString());
    }

    [Fact]
    public async Task Prometheus_accepts_the_scrape_configuration_with_the_shipped_rules()
    {
        var folder = Directory.CreateTempSubdirectory("harbor-scan-readme-");
        try
        {
            var file = Path.Combine(folder.FullName, "prometheus.yml");
            await File.WriteAllTextAsync(file, Snippet("scrape_configs:"), TestContext.Current.CancellationToken);
            File.Copy(AlertRules.File, Path.Combine(folder.FullName, Path.GetFileName(AlertRules.File)));
            var result = await Tool.RunAsync("promtool", ["check", "config", file]);
            Assert.True(result.ExitCode == 0, result.All);
            Assert.Contains("1 rule files found", result.All, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_job_has_the_name_that_the_rules_look_for()
    {
        Assert.Contains("job_name: harbor-scan-exporter\n", Snippet("scrape_configs:"), StringComparison.Ordinal);
        var looking = AlertRules.Alerts.Where(alert => alert.Expression.Contains("job=~\".*harbor-scan.*\"", StringComparison.Ordinal)).Select(alert => alert.Name);
        Assert.Equal(["HarborScanExporterDown", "HarborScanTargetVanished", "HarborScanMetricsMissing"], looking);
        Assert.Contains("the alerts HarborScanExporterDown, HarborScanTargetVanished and HarborScanMetricsMissing look for it", MarkdownDocument.Readme.Prose, StringComparison.Ordinal);
    }

    private static string Snippet(string containing) =>
        Assert.Single(MarkdownDocument.Readme.Blocks("yaml"), block => block.Contains(containing, StringComparison.Ordinal));

    private static YamlMappingNode Parsed(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return (YamlMappingNode)Assert.Single(stream.Documents).RootNode;
    }
}

using System.Text.RegularExpressions;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using YamlDotNet.RepresentationModel;

namespace HarborScanExporter.Tests.Alerts;

/// <summary>The receiver that repairs, put into the example configuration as its first lines say.</summary>
public sealed class ReceiverTests : IDisposable
{
    private const string Receiver = "harbor-scan-repair";

    private static readonly string s_snippet = Repository.Read("alerts", "alertmanager.receiver.yml");

    private readonly string _configuration = Path.Combine(Path.GetTempPath(), $"alertmanager-{Guid.NewGuid():N}.yml");

    public ReceiverTests() => File.WriteAllText(_configuration, Merged());

    public void Dispose() => File.Delete(_configuration);

    [Fact]
    public async Task Alertmanager_accepts_the_example_with_the_receiver()
    {
        var result = await Tool.RunAsync("amtool", ["check-config", _configuration]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("4 receivers", result.All, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_woken_by_the_alerts_that_may_wake_a_repair() => Assert.Equal(
        Setting.All.Single(setting => setting.Name == Setting.Names.RemediationAlerts).Default!.Split(','),
        Regex.Match(Assert.Single(Route().Words("matchers")), "^alertname=~\"(.+)\"$").Groups[1].Value.Split('|'));

    [Fact]
    public void It_waits_for_nothing_and_is_told_again_every_five_minutes() => Assert.Equal(
        ("0s", "1m", "5m", "true"),
        (Route().Text("group_wait"), Route().Text("group_interval"), Route().Text("repeat_interval"), Route().Text("continue")));

    [Fact]
    public void It_posts_with_a_token_from_a_file_and_nothing_that_is_over()
    {
        var webhook = Assert.Single(Assert.Single(Snippet().Items("receivers")).Items("webhook_configs"));
        Assert.Equal("/api/v1/alerts", new Uri(webhook.Text("url")).AbsolutePath);
        Assert.Equal("false", webhook.Text("send_resolved"));
        var authorization = (YamlMappingNode)webhook["http_config"]["authorization"];
        Assert.Equal("Bearer", authorization.Text("type"));
        Assert.StartsWith("/", authorization.Text("credentials_file"), StringComparison.Ordinal);
        Assert.DoesNotContain("credentials:", s_snippet, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HarborScanLost", "warning", Receiver, "operators")]
    [InlineData("HarborScanStuckLong", "critical", Receiver, "pager")]
    [InlineData("HarborScanRemediationFailing", "warning", "operators")]
    [InlineData("HarborScanQueueNotMoving", "warning", "operators")]
    [InlineData("HarborScanWatchdog", "info", "watchdog")]
    public async Task People_hear_what_the_receiver_hears(string alert, string severity, params string[] receivers)
    {
        var result = await Tool.RunAsync("amtool", ["config", "routes", "test", $"--config.file={_configuration}", $"alertname={alert}", $"severity={severity}"]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(string.Join(',', receivers), result.Output.Trim());
    }

    private static YamlMappingNode Snippet()
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(s_snippet));
        return (YamlMappingNode)stream.Documents.Single().RootNode;
    }

    private static YamlMappingNode Route() =>
        ((YamlMappingNode)Snippet()["route"]).Items("routes")[0];

    /// <summary>What a person would do by hand, as the first lines of the file say.</summary>
    private static string Merged()
    {
        const string last = "    # Alertmanager does not fall back";
        var routes = Between(s_snippet, "  routes:\n", "receivers:\n");
        var (first, second) = (routes[..routes.IndexOf(last, StringComparison.Ordinal)], routes[routes.IndexOf(last, StringComparison.Ordinal)..]);
        var receivers = s_snippet[(s_snippet.IndexOf("receivers:\n", StringComparison.Ordinal) + "receivers:\n".Length)..];
        return Repository.Read("alerts", "alertmanager.example.yml")
            .Replace("  routes:\n", $"  routes:\n{first}", StringComparison.Ordinal)
            .Replace("\nreceivers:\n", $"{second.TrimEnd()}\n\nreceivers:\n{receivers}", StringComparison.Ordinal);
    }

    private static string Between(string text, string start, string end)
    {
        var from = text.IndexOf(start, StringComparison.Ordinal) + start.Length;
        return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
    }
}

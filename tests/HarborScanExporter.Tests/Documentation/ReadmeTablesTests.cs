using System.Text.RegularExpressions;
using HarborScanExporter.Cli;
using HarborScanExporter.Harbor;
using HarborScanExporter.Hosting;
using HarborScanExporter.Http;
using HarborScanExporter.Metrics.Collectors;
using HarborScanExporter.Observation;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Alerts;
using HarborScanExporter.Tests.Support;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace HarborScanExporter.Tests.Documentation;

/// <summary>The tables of the README against what they speak of.</summary>
public sealed class ReadmeTablesTests
{
    [Fact]
    public void The_table_of_alerts_is_the_rule_file() => Assert.Equal(
        AlertRules.Alerts.Select(alert => $"[{alert.Name}](alerts/runbooks/{alert.Name}.md) {alert.Labels["severity"]} {alert.For} {alert.Annotations["summary"]}"),
        MarkdownDocument.Readme.TableOf("alert", "severity", "for", "fires when").Rows.Select(row => string.Join(' ', row)));

    [Fact]
    public void The_table_of_collectors_is_the_set_of_collectors() => Assert.Equal(
        CollectorSet.All([]).Select(collector => $"`{collector.Name}` {(Topic.All.Single(topic => topic.Name == collector.Name).OnByDefault ? "on" : "off")} {collector.Cost}"),
        MarkdownDocument.Readme.TableOf("collector", "default", "cost of one collection").Rows.Select(row => string.Join(' ', row)));

    [Fact]
    public void The_table_of_commands_is_the_command_line() => Assert.Equal(
        CommandLine.Build((_, _, _) => Task.FromResult(0)).Subcommands.Select(command => $"`harbor-scan-exporter {command.Name}`"),
        MarkdownDocument.Readme.TableOf("command", "does").Rows.Select(row => row[0]));

    [Fact]
    public async Task The_table_of_endpoints_is_what_is_routed()
    {
        var settings = SettingsReader.Read(
            new Dictionary<string, string> { [Setting.Names.DatabaseHost] = "db", [Setting.Names.DatabaseUsername] = "role" }, new Dictionary<string, string>()).Settings!;
        await using var app = Exporter.Build(settings);
        Assert.Equal(
            ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Cast<RouteEndpoint>().Select(route => $"`GET {route.RoutePattern.RawText}`"),
            MarkdownDocument.Readme.TableOf("endpoint", "answers").Rows.Select(row => row[0]));
    }

    [Fact]
    public void The_table_of_endpoints_with_the_token_is_what_the_second_listener_serves()
    {
        var token = Path.GetTempFileName();
        File.WriteAllText(token, "a-token-of-enough-characters");
        var settings = SettingsReader.Read(
            new Dictionary<string, string>
            {
                [Setting.Names.DatabaseHost] = "db", [Setting.Names.DatabaseUsername] = "role",
                [Setting.Names.OperationsListen] = "http://127.0.0.1:0", [Setting.Names.OperationsTokenFile] = token,
            },
            new Dictionary<string, string>()).Settings!;
        using var app = (IDisposable)Exporter.Build(settings);
        var routes = ((IHost)app).Services.GetRequiredService<OperationsListener>().Routes;
        File.Delete(token);
        Assert.Equal(
            routes.Select(route => $"`{route.Methods[0]} {route.Path}`"),
            MarkdownDocument.Readme.TableOf("endpoint with the token", "answers").Rows.Select(row => row[0]));
    }

    [Fact]
    public void Every_room_of_the_program_is_on_the_map()
    {
        var told = MarkdownDocument.Readme.TableOf("room", "purpose").Rows.Select(row => row[0].Split('(', ')')[1]).ToArray();
        var rooms = Directory.GetDirectories(Repository.PathOf("src", "HarborScanExporter")).Select(Path.GetFileName).Except(["bin", "obj"])
            .Select(name => $"src/HarborScanExporter/{name}");
        Assert.Equal(rooms.Order(StringComparer.Ordinal), told.Where(path => path.StartsWith("src/HarborScanExporter/", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.All(told, path => Assert.True(Directory.Exists(Repository.PathOf(path.Split('/'))), path));
    }

    [Fact]
    public void The_supported_versions_are_those_of_the_program()
    {
        Assert.Contains($"schema versions {HarborSchema.Oldest} to {HarborSchema.NewestKnown} ", MarkdownDocument.Readme.Prose, StringComparison.Ordinal);
        Assert.Equal(("2.2.0", "2.16.0"), (HarborSchema.Releases(HarborSchema.Oldest), HarborSchema.Releases(HarborSchema.NewestKnown)));
        Assert.Contains("**Harbor 2.2.0 to 2.16**", MarkdownDocument.Readme.Prose, StringComparison.Ordinal);
    }

    [Fact]
    public void The_role_reads_as_many_tables_as_the_text_says()
    {
        var granted = Regex.Matches(Repository.Read("deploy", "sql", "01-scraping-role.sql"), @"^\s+\('([a-z_]+)', '[a-z_, ]+'\)", RegexOptions.Multiline);
        Assert.Equal(10, granted.Count);
        Assert.Contains("named columns of ten tables", MarkdownDocument.Readme.Prose, StringComparison.Ordinal);
    }

    [Fact]
    public void The_limits_in_the_text_are_the_defaults()
    {
        var defaults = Setting.All.ToDictionary(setting => setting.Name, setting => setting.Default);
        Assert.Equal(("2h", "2h10m", "24h", "5m", "10s"), (defaults[Setting.Names.RunningLimit], defaults[Setting.Names.LostAfter],
            defaults[Setting.Names.MaxJobDuration], defaults[Setting.Names.Settle], defaults[Setting.Names.ScrapeTimeout]));
        Assert.Contains("The two hours are `HARBOR_SCAN_RUNNING_LIMIT`, the 2h10m are `HARBOR_SCAN_LOST_AFTER`. The 26h are `HARBOR_SCAN_MAX_JOB_DURATION` plus two hours",
            MarkdownDocument.Readme.Prose, StringComparison.Ordinal);
        Assert.Contains("`HARBOR_SCAN_SETTLE` (5m)", MarkdownDocument.Readme.Prose, StringComparison.Ordinal);
        Assert.Contains("`HARBOR_SCAN_SCRAPE_TIMEOUT` (10s)", MarkdownDocument.Readme.Prose, StringComparison.Ordinal);
    }
}

using HarborScanExporter.Settings;

namespace HarborScanExporter.Tests.Documentation;

public sealed class SettingsReferenceTests
{
    [Fact]
    public void The_table_of_settings_is_the_one_of_the_program()
    {
        var documented = MarkdownDocument.Settings.TableOf("variable", "flag", "default", "meaning").Rows
            .Select(row => (MarkdownDocument.Code(row[0]), MarkdownDocument.Code(row[1]), MarkdownDocument.Code(row[2]), row[3]));
        Assert.Equal(Setting.All.Select(setting => ((string?)setting.Name, setting.IsSecret ? null : setting.Flag, setting.Default, setting.Meaning)), documented);
    }

    [Fact]
    public void The_shown_mistakes_stop_the_start_with_these_very_messages()
    {
        var reading = SettingsReader.Read(
            new Dictionary<string, string>
            {
                [Setting.Names.DatabaseUsername] = "harbor_scan_exporter",
                ["HARBOR_SCAN_SCRAPE_TIMEOUTS"] = "3s",
                [Setting.Names.Settle] = "5",
            },
            new Dictionary<string, string>());
        var shown = Assert.Single(MarkdownDocument.Settings.Blocks("text")).TrimEnd('\n').Split('\n');
        Assert.Null(reading.Settings);
        Assert.Equal(shown.Order(StringComparer.Ordinal), reading.Errors.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(Setting.Names.ScrapeTimeout, "1s", "10m")]
    [InlineData(Setting.Names.MaxJobDuration, "24h", "365d")]
    [InlineData(Setting.Names.LostAfter, "65m", "365d")]
    [InlineData(Setting.Names.RunningLimit, "1m", "365d")]
    [InlineData(Setting.Names.Settle, "1m", "7d")]
    [InlineData(Setting.Names.RemediationCooldown, "1m", "7d")]
    public void The_documented_range_is_accepted_and_nothing_beyond_it(string name, string least, string most)
    {
        Assert.Contains($"`{name}` {least} to {most}", MarkdownDocument.Settings.Prose, StringComparison.Ordinal);
        Assert.Empty(Errors(name, least));
        Assert.Empty(Errors(name, most));
        Assert.True(PrometheusDuration.TryParse(least, out var lower));
        Assert.True(PrometheusDuration.TryParse(most, out var upper));
        Assert.Single(Errors(name, PrometheusDuration.Format(lower - TimeSpan.FromMilliseconds(1))));
        Assert.Single(Errors(name, PrometheusDuration.Format(upper + TimeSpan.FromMilliseconds(1))));
    }

    [Theory]
    [InlineData(Setting.Names.RemediationMaxPerRun, 1, 500)]
    [InlineData(Setting.Names.RemediationMaxPerHour, 50, 2000, 1, 100_000)]
    [InlineData(Setting.Names.RemediationMaxPerDay, 500, 1_000_000, 1, 1_000_000)]
    [InlineData(Setting.Names.RemediationMaxAttempts, 1, 10)]
    public void The_documented_limits_of_repairs_are_accepted_between_their_neighbours_defaults_and_nothing_beyond_them(
        string name, int least, int most, int? documentedLeast = null, int? documentedMost = null)
    {
        Assert.Contains($"`{name}` {documentedLeast ?? least} to {documentedMost ?? most}", MarkdownDocument.Settings.Prose, StringComparison.Ordinal);
        Assert.Empty(Errors(name, $"{least}"));
        Assert.Empty(Errors(name, $"{most}"));
        Assert.Single(Errors(name, $"{least - 1}"));
        Assert.Single(Errors(name, $"{most + 1}"));
    }

    private static IReadOnlyList<string> Errors(string name, string value) => SettingsReader.Read(
        new Dictionary<string, string> { [Setting.Names.DatabaseHost] = "db", [Setting.Names.DatabaseUsername] = "role", [name] = value },
        new Dictionary<string, string>()).Errors;
}

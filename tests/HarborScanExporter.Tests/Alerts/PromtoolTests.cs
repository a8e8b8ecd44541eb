using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Alerts;

public sealed class PromtoolTests
{
    [Fact]
    public async Task The_rules_pass_the_lint_without_exclusions()
    {
        var result = await Tool.RunAsync("promtool", ["check", "rules", "--lint=all", "--lint-fatal", AlertRules.File]);
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains($"{AlertRules.Alerts.Count + AlertRules.Recordings.Count} rules found", result.All, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(RuleCases.FileNames), MemberType = typeof(RuleCases))]
    public async Task The_rules_pass_their_cases(string file)
    {
        var result = await Tool.RunAsync("promtool", ["test", "rules", Repository.PathOf("alerts", "tests", file)], limit: TimeSpan.FromMinutes(5));
        Assert.True(result.ExitCode == 0, result.All);
        Assert.Contains("SUCCESS", result.All, StringComparison.Ordinal);
    }
}

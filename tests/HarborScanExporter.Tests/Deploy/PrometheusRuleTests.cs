using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Deploy;

public sealed class PrometheusRuleTests
{
    [Fact]
    public void The_operators_rules_are_those_of_the_rule_file()
    {
        var groups = Yaml.Read("alerts", "harbor-scan.rules.yml")["groups"];

        Assert.NotEmpty(groups.Items);
        Assert.Equal(groups.Canonical, Yaml.Read("deploy", "kubernetes", "prometheusrule.yaml")["spec"]["groups"].Canonical);
    }

    [Fact]
    public async Task The_generator_writes_the_file_that_is_checked_in()
    {
        var result = await Tool.RunAsync("bash",
            [Repository.PathOf("scripts", "generate-prometheus-rule.sh"), Repository.PathOf("alerts", "harbor-scan.rules.yml"), "-"]);

        Assert.True(result.ExitCode == 0, result.All);
        Assert.Equal(Repository.Read("deploy", "kubernetes", "prometheusrule.yaml"), result.Output);
    }

    [Fact]
    public async Task The_generator_refuses_a_file_without_groups()
    {
        var result = await Tool.RunAsync("bash",
            [Repository.PathOf("scripts", "generate-prometheus-rule.sh"), Repository.PathOf("global.json"), "-"]);

        Assert.Equal(1, result.ExitCode);
        Assert.Equal("", result.Output);
        Assert.Contains("has no groups", result.Error, StringComparison.Ordinal);
    }
}

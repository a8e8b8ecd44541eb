using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Deploy;

public sealed class ScriptTests
{
    public static TheoryData<string> Scripts() =>
        [.. Directory.GetFiles(Repository.PathOf("scripts"), "*.sh").Append(Repository.PathOf(".ci", "run"))
            .Select(path => Path.GetRelativePath(Repository.Root, path))];

    [Fact]
    public void All_the_scripts_are_found() => Assert.Superset(
        new HashSet<string> { ".ci/run", "scripts/attack.sh", "scripts/benchmark.sh", "scripts/demo.sh", "scripts/generate-prometheus-rule.sh", "scripts/native-binary.sh", "scripts/packages.sh", "scripts/soak.sh", "scripts/test.sh" },
        Scripts().Select(row => row.Data).ToHashSet());

    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task A_script_parses(string script)
    {
        var result = await Tool.RunAsync("bash", ["-n", Repository.PathOf(script)]);

        Assert.True(result.ExitCode == 0, result.All);
    }

    [Theory]
    [InlineData(".ci/run")]
    [InlineData("scripts/attack.sh")]
    [InlineData("scripts/benchmark.sh")]
    [InlineData("scripts/demo.sh")]
    [InlineData("scripts/generate-prometheus-rule.sh")]
    [InlineData("scripts/soak.sh")]
    [InlineData("scripts/test.sh")]
    public async Task A_script_that_people_run_is_executable_and_stops_at_the_first_error(string script)
    {
        Assert.Equal(0, (await Tool.RunAsync("test", ["-x", Repository.PathOf(script)])).ExitCode);
        Assert.StartsWith("#!/usr/bin/env bash\n", Repository.Read(script), StringComparison.Ordinal);
        Assert.Contains("\nset -euo pipefail\n", Repository.Read(script), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_demonstration_explains_every_option_that_it_takes()
    {
        var result = await Tool.RunAsync("bash", [Repository.PathOf("scripts", "demo.sh"), "--help"]);

        Assert.Equal(0, result.ExitCode);
        Assert.Equal(["--help", "--history", "--limit", "--no-install", "--once", "--release", "--seed"],
            result.Output.Split('\n').Select(line => line.Trim().Split(' ')[0])
                .Where(word => word.StartsWith("--", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("--twice")]
    [InlineData("--seed")]
    public async Task The_demonstration_refuses_what_it_does_not_understand(string option)
    {
        var result = await Tool.RunAsync("bash", [Repository.PathOf("scripts", "demo.sh"), option]);

        Assert.Equal(2, result.ExitCode);
        Assert.Contains(option, result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Output);
    }
}

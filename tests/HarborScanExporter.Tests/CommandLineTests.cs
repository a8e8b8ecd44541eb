using HarborScanExporter.Settings;
using System.CommandLine;

namespace HarborScanExporter.Tests;

public sealed class CommandLineTests
{
    private static readonly string[] Connection = ["--database-host", "db", "--database-username", "scraper"];

    [Theory]
    [InlineData]
    [InlineData("serve")]
    public async Task Serve_runs_with_and_without_its_name(params string[] command)
    {
        var (exit, settings, _, error) = await RunAsync([.. command, .. Connection, "--scrape-timeout", "7s"]);
        Assert.Equal((0, ""), (exit, error));
        Assert.Equal(TimeSpan.FromSeconds(7), settings!.ScrapeTimeout);
        Assert.Equal("db", settings.Database.Host);
    }

    [Fact]
    public async Task Bad_settings_stop_the_start_with_their_names()
    {
        var (exit, settings, _, error) = await RunAsync([.. Connection, "--settle", "soon", "--database-port", "0"]);
        Assert.Equal(2, exit);
        Assert.Null(settings);
        Assert.Equal(
            ["HARBOR_DATABASE_PORT: 0 is no port. Give a number from 1 to 65535.", "HARBOR_SCAN_SETTLE: soon is no duration. Write it as Prometheus does, for example 90s, 2h10m or 7d."],
            error.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    [Fact]
    public async Task A_secret_has_no_flag()
    {
        var (exit, settings, _, _) = await RunAsync([.. Connection, "--database-password", "x"]);
        Assert.NotEqual(0, exit);
        Assert.Null(settings);
    }

    [Fact]
    public async Task Help_names_every_flag_with_its_variable()
    {
        var (exit, _, output, _) = await RunAsync(["--help"]);
        Assert.Equal(0, exit);
        Assert.All(Setting.All.Where(setting => !setting.IsSecret), setting =>
        {
            Assert.Contains(setting.Flag, output, StringComparison.Ordinal);
            Assert.Contains(setting.Name, output, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task Sql_prints_the_role_with_its_names_and_without_a_password()
    {
        var (exit, _, output, _) = await RunAsync(["sql", "--database-username", "o\"reader", "--database-dbname", "harbor"]);
        Assert.Equal(0, exit);
        Assert.Contains("set_config('harbor_scan.role', 'o\"reader', false)", output, StringComparison.Ordinal);
        Assert.Contains("set_config('harbor_scan.database', 'harbor', false)", output, StringComparison.Ordinal);
        Assert.Contains("set_config('harbor_scan.password', '', false)", output, StringComparison.Ordinal);
        Assert.Contains("grant select on harbor_scan.read_only to \"o\"\"reader\";", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_prints_one_line()
    {
        var (exit, _, output, _) = await RunAsync(["version"]);
        Assert.Equal(0, exit);
        Assert.Matches(@"\Aharbor-scan-exporter \d+\.\d+\.\d+ \(\w+, \.NET \d+\.\d+\.\d+ \w+\)\s*\z", output);
    }

    private static async Task<(int Exit, ExporterSettings? Settings, string Output, string Error)> RunAsync(string[] arguments)
    {
        ExporterSettings? given = null;
        var root = CommandLine.Build((settings, _, _) =>
        {
            given = settings;
            return Task.FromResult(0);
        });
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await root.Parse(arguments).InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, TestContext.Current.CancellationToken);
        return (exit, given, output.ToString(), error.ToString());
    }
}

using System.CommandLine;
using HarborScanExporter.Cli;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Tests.Cli;

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
        var (exit, _, output, _) = await RunAsync(["sql", "--database-username", "o\"reader", "--database-dbname", "harbor", "--read-only-view"]);
        Assert.Equal(0, exit);
        // Whatever is refused, nothing after it may run.
        Assert.StartsWith("\\set ON_ERROR_STOP on\n", output, StringComparison.Ordinal);
        Assert.Contains("set_config('harbor_scan.role', 'o\"reader', false)", output, StringComparison.Ordinal);
        Assert.Contains("set_config('harbor_scan.database', 'harbor', false)", output, StringComparison.Ordinal);
        Assert.Contains("set_config('harbor_scan.password', '', false)", output, StringComparison.Ordinal);
        Assert.Contains("grant select on harbor_scan.read_only to \"o\"\"reader\";", output, StringComparison.Ordinal);
        Assert.Contains("\\password \"o\"\"reader\"\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sql_prints_no_role_that_can_write_unless_repairs_are_asked_for()
    {
        var (exit, _, output, _) = await RunAsync(["sql"]);
        Assert.Equal(0, exit);
        Assert.DoesNotContain("remediation_role", output, StringComparison.Ordinal);
        Assert.DoesNotContain("update %1$I", output, StringComparison.Ordinal);
        Assert.DoesNotContain("harbor_scan.read_only", output, StringComparison.Ordinal);
        Assert.EndsWith(
            "-- Now set the password in psql: \\password harbor_scan_exporter\n"
            + "-- The view that shows read-only mode is not among these; 'harbor-scan-exporter sql --read-only-view' prints it too.\n"
            + "-- The role that repairs is not among these; 'harbor-scan-exporter sql --remediation dry-run' prints it too.\n", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("harbor_scan_remediation", false, "--remediation", "dry-run")]
    [InlineData("harbor_scan_remediation", false, "--remediation", "execute")]
    [InlineData("mender", false, "--remediation-database-username", "mender")]
    [InlineData("harbor_scan_remediation", true, "--remediation-sweep", "on")]
    public async Task Sql_prints_the_role_that_repairs_where_repairs_are_asked_for_and_its_deletes_only_for_the_sweep(string role, bool sweeps, params string[] flags)
    {
        var (exit, _, output, error) = await RunAsync(["sql", .. flags]);
        Assert.Equal((0, ""), (exit, error));
        Assert.Contains("set_config('harbor_scan.role', 'harbor_scan_exporter', false)", output, StringComparison.Ordinal);
        Assert.Contains($"set_config('harbor_scan.remediation_role', '{role}', false)", output, StringComparison.Ordinal);
        Assert.Contains("create table if not exists harbor_scan.repair (", output, StringComparison.Ordinal);
        Assert.Equal(sweeps, output.Contains("function harbor_scan.remove_execution(", StringComparison.Ordinal));
        Assert.EndsWith(
            $"-- Now set the password in psql: \\password harbor_scan_exporter\n-- And that of the role that repairs: \\password {role}\n", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HARBOR_SCAN_REMEDIATION: yes is unknown. Give one of off, dry-run, execute.", "--remediation", "yes")]
    [InlineData("HARBOR_SCAN_REMEDIATION_SWEEP: yes is unknown. Give one of on, off.", "--remediation-sweep", "yes")]
    [InlineData("HARBOR_DATABASE_USERNAME holds a control character. Give a plain name.", "--database-username", "x\ncreate table gotcha (id int); --")]
    [InlineData("HARBOR_DATABASE_DBNAME holds a control character. Give a plain name.", "--database-dbname", "x\rcreate table gotcha (id int); --")]
    [InlineData("HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME holds a control character. Give a plain name.", "--remediation-database-username", "x\ncreate table gotcha (id int); --")]
    [InlineData("HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME and HARBOR_DATABASE_USERNAME both name harbor_scan_exporter. Name a role of its own: the one that scrapes can write nothing.",
        "--remediation-database-username", "harbor_scan_exporter")]
    public async Task Sql_prints_nothing_where_a_mistake_could_give_the_wrong_role_a_grant(string mistake, params string[] flags)
    {
        var (exit, _, output, error) = await RunAsync(["sql", .. flags]);
        Assert.Equal((2, "", mistake), (exit, output, error.TrimEnd()));
    }

    [Fact]
    public async Task Version_prints_one_line()
    {
        var (exit, _, output, _) = await RunAsync(["version"]);
        Assert.Equal(0, exit);
        Assert.Matches(@"\Aharbor-scan-exporter \d+\.\d+\.\d+ \(\w+, \.NET \d+\.\d+\.\d+ \w+\)\s*\z", output);
    }

    [Theory]
    [InlineData("check", "--output", "xml")]
    [InlineData("check", "--quik")]
    [InlineData("doctor", "--output", "prometheus")]
    [InlineData("repair", "--output", "prometheus")]
    [InlineData("repair", "--undo", "last")]
    [InlineData("repair", "--aply")]
    [InlineData("chek")]
    public async Task A_mistyped_command_line_is_exit_code_2_since_1_says_that_check_found_something(params string[] arguments)
    {
        var (exit, _, _, error) = await RunAsync([.. arguments, .. Connection]);
        Assert.Equal(2, exit);
        Assert.Contains(arguments[^1], error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("check")]
    [InlineData("doctor")]
    [InlineData("repair")]
    public async Task A_command_without_settings_names_them(string command)
    {
        var (exit, _, output, error) = await RunAsync([command]);
        Assert.Equal((2, ""), (exit, output));
        Assert.Contains("HARBOR_DATABASE_HOST is not set. Set it, or give --database-host.", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_refuses_a_word_that_is_none_and_names_those_there_are()
    {
        var (exit, _, output, error) = await RunAsync(["check", "--verdict", "stuck", .. Connection]);
        Assert.Equal((2, ""), (exit, output));
        Assert.StartsWith("There is no verdict stuck. Choose from lost, unreported, ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no verdict stuck. Choose from lost, unreported, ", "--verdict", "stuck")]
    [InlineData("307257 is no id of something that can be repaired. Give ids as check --output json has them: task-307257, execution-9041, codes-9041.", "--id", "task-1", "--id", "307257")]
    [InlineData("--apply writes and --dry-run does not. Give one of them.", "--apply", "--dry-run")]
    [InlineData("--undo takes one repair back and goes with --actor, --note and --output only.", "--undo", "4", "--verdict", "lost")]
    [InlineData("Nothing may be written: HARBOR_SCAN_REMEDIATION is off. Set it to execute, or leave out --apply to see what would be done.", "--apply")]
    [InlineData("Nothing may be tried: HARBOR_SCAN_REMEDIATION is off. Set it to dry-run or execute, or leave out --dry-run to see what would be done.", "--dry-run")]
    public async Task Repair_refuses_what_cannot_be_asked_for_and_says_what_can(string problem, params string[] arguments)
    {
        var (exit, _, output, error) = await RunAsync(["repair", .. arguments, .. Connection]);
        Assert.Equal((2, ""), (exit, output));
        Assert.StartsWith(problem, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_and_doctor_look_for_the_database_of_the_flags()
    {
        string[] away = ["--database-host", "127.0.0.1", "--database-port", $"{HarborScanExporter.Tests.Support.Tool.FreePort()}", "--database-username", "scraper"];
        var check = await RunAsync(["check", .. away]);
        Assert.Equal((2, ""), (check.Exit, check.Output));
        Assert.Contains("Could not look: Harbor's database could not be read (connect).", check.Error, StringComparison.Ordinal);
        var doctor = await RunAsync(["doctor", .. away]);
        Assert.Equal((1, ""), (doctor.Exit, doctor.Error));
        Assert.Contains("cannot be read (connect)", doctor.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_removal_of_old_lines_of_the_audit_is_printed_alone()
    {
        var (exit, _, output, error) = await RunAsync(["sql", "--prune-audit", "--remediation", "dry-run"]);
        Assert.Equal((0, ""), (exit, error));
        Assert.Equal(File.ReadAllText(HarborScanExporter.Tests.Support.Repository.PathOf("deploy", "sql", "06-prune-audit.sql")).Trim(), output.Trim());
    }

    private static async Task<(int Exit, ExporterSettings? Settings, string Output, string Error)> RunAsync(string[] arguments)
    {
        ExporterSettings? given = null;
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await CommandLine.RunAsync(arguments, (settings, _, _) =>
        {
            given = settings;
            return Task.FromResult(0);
        }, new InvocationConfiguration { Output = output, Error = error }, TestContext.Current.CancellationToken);
        return (exit, given, output.ToString(), error.ToString());
    }
}

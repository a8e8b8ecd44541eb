using HarborScanExporter.Database;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Database;

public sealed class RoleScriptTests
{
    [Fact]
    public void The_program_carries_every_script_of_deploy_sql() =>
        Assert.Equal(
            Directory.GetFiles(Repository.PathOf("deploy", "sql"), "*.sql").Select(Path.GetFileName).Order(StringComparer.Ordinal),
            [.. RoleScript.Names, RoleScript.OpenTaskIndex]);

    [Fact]
    public void Names_and_literals_are_quoted()
    {
        var script = RoleScript.Filled("02-read-only-view.sql", new Dictionary<string, string> { ["role"] = "my \"role\"" });
        Assert.Contains("grant usage on schema harbor_scan to \"my \"\"role\"\"\";", script, StringComparison.Ordinal);
        var grants = RoleScript.Filled("01-scraping-role.sql", new Dictionary<string, string> { ["role"] = "r", ["password"] = "o'clock", ["database"] = "d" });
        Assert.Contains("set_config('harbor_scan.password', 'o''clock', false)", grants, StringComparison.Ordinal);
    }

    [Fact]
    public void The_reading_role_may_have_the_sessions_of_two_exporters_and_one_of_a_person_as_the_README_says()
    {
        // The reconciliation has one of its own.
        const int ofOne = HarborDatabase.MaxConnections + 1;
        Assert.Contains($"alter role %I connection limit {(2 * ofOne) + 1}'", RoleScript.Text(RoleScript.ScrapingRole), StringComparison.Ordinal);
        Assert.Equal((3, 7), (ofOne, (2 * ofOne) + 1));
        Assert.Contains("Its sessions are read-only, and at most seven: three of each of two exporters, and one of a person with psql.",
            string.Join(' ', File.ReadAllText(Repository.PathOf("README.md")).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_variable_is_named()
    {
        var error = Assert.Throws<ArgumentException>(() => RoleScript.Filled("01-scraping-role.sql", new Dictionary<string, string> { ["role"] = "r" }));
        Assert.Contains("01-scraping-role.sql needs the variable password", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_grants_can_be_run_again_and_keep_the_password_when_none_is_given()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.Database.ExecuteAsync(RoleScript.Filled("01-scraping-role.sql",
            new Dictionary<string, string> { ["role"] = harbor.Role, ["password"] = "", ["database"] = harbor.Database.Name }));
        await using var exporter = await RunningExporter.StartAsync(harbor);
        Assert.Equal(1, (await exporter.ScrapeAsync()).Value("harbor_scan_up"));
    }
}

using HarborScanExporter.Database.Grants;
using HarborScanExporter.Settings;
using HarborSimulator.Schema;
using Npgsql;

namespace HarborScanExporter.Tests.Support;

/// <summary>A database with Harbor's tables of one release, and the least-privilege role that the exporter signs in with.</summary>
internal sealed class TestHarbor : IAsyncDisposable
{
    public const string Password = "it's a secret";

    /// <summary>What a run of repairs locks, until the transaction ends.</summary>
    public const string HoldRepairsSql = "lock table harbor_scan.repair_lock in exclusive mode";

    /// <summary>The function that writes a task.</summary>
    public const string WriteTask = "harbor_scan.write_task(bigint, text, bigint, bigint, float8, text, bigint, text, timestamp, timestamp)";

    private TestHarbor(TestDatabase database, HarborRelease release)
    {
        Database = database;
        Release = release;
        Role = $"scraper_{database.Name}";
    }

    public TestDatabase Database { get; }

    public HarborRelease Release { get; }

    public string Role { get; }

    /// <param name="release">Harbor's release.</param>
    /// <param name="database">The database to fill; a new one of the shared server when not given.</param>
    public static async Task<TestHarbor> CreateAsync(string release = "2.11.0", TestDatabase? database = null)
    {
        var parsed = HarborRelease.Parse(release);
        var harbor = new TestHarbor(database ?? await PostgresServer.Current.CreateHarborDatabaseAsync(parsed), parsed);
        if (database is not null)
        {
            await using var connection = await database.OpenAsync();
            await HarborSimulator.Schema.HarborSchema.CreateAsync(connection, parsed);
        }
        await harbor.GrantAsync();
        return harbor;
    }

    /// <summary>Runs deploy/sql/01-scraping-role.sql, as an operator would.</summary>
    public Task GrantAsync() => Database.ExecuteAsync(RoleScript.Filled("01-scraping-role.sql", new Dictionary<string, string>
    {
        ["role"] = Role,
        ["database"] = Database.Name,
        ["password"] = Password,
    }));

    /// <summary>Runs deploy/sql/02-read-only-view.sql.</summary>
    public Task GrantReadOnlyViewAsync() =>
        Database.ExecuteAsync(RoleScript.Filled("02-read-only-view.sql", new Dictionary<string, string> { ["role"] = Role }));

    /// <summary>The role that repairs.</summary>
    public string RepairRole => $"repairer_{Database.Name}";

    /// <summary>Runs deploy/sql/03-remediation-role.sql, and for the sweep 04-remediation-sweep.sql.</summary>
    public async Task GrantRemediationAsync(bool sweep = false)
    {
        var variables = new Dictionary<string, string>
        {
            ["role"] = Role,
            ["remediation_role"] = RepairRole,
            ["remediation_password"] = Password,
            ["database"] = Database.Name,
        };
        await Database.ExecuteAsync(RoleScript.Filled("03-remediation-role.sql", variables));
        if (sweep) await Database.ExecuteAsync(RoleScript.Filled("04-remediation-sweep.sql", variables));
    }

    /// <summary>The environment of an exporter that may repair, with changes.</summary>
    public Dictionary<string, string> RemediationEnvironment(params (string Name, string Value)[] changes) => Environment(
    [
        (Setting.Names.Remediation, "execute"), (Setting.Names.RemediationDatabaseUsername, RepairRole), (Setting.Names.RemediationDatabasePassword, Password), .. changes,
    ]);

    /// <summary>The environment of an exporter that reads this database, with changes.</summary>
    public Dictionary<string, string> Environment(params (string Name, string Value)[] changes)
    {
        var owner = new NpgsqlConnectionStringBuilder(Database.ConnectionString);
        var environment = new Dictionary<string, string>
        {
            [Setting.Names.DatabaseHost] = owner.Host!,
            [Setting.Names.DatabasePort] = $"{owner.Port}",
            [Setting.Names.DatabaseUsername] = Role,
            [Setting.Names.DatabasePassword] = Password,
            [Setting.Names.DatabaseName] = Database.Name,
            [Setting.Names.Listen] = "http://127.0.0.1:0",
            // Rows that a test changes by hand are seen at once; what is remembered between scrapes has tests of its own.
            [Setting.Names.ReconciliationInterval] = "0",
        };
        foreach (var (name, value) in changes) environment[name] = value;
        return environment;
    }

    /// <summary>Returns when the owner's sessions, and those of the given roles, are over, and the server has published what they read: a session does so at its end.</summary>
    public async Task CountsArePublishedAsync(params string[] roles)
    {
        Database.CloseIdle();
        var ended = $"""
            select count(*) = 0 from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid() and (usename = current_user or usename = any ('{'{'}{string.Join(',', roles)}{'}'}'))
            """;
        await Eventually.HoldsAsync(() => Database.ScalarAsync<bool>(ended), TimeSpan.FromSeconds(30), () => "The sessions do not end.");
        // Before PostgreSQL 15 a process of its own adds them up, a moment later.
        if (await Database.ScalarAsync<int>("select current_setting('server_version_num')::int") < 150_000) await Task.Delay(1500);
    }

    // A role can go when the database is gone in which it has rights.
    public async ValueTask DisposeAsync() => await Database.DropAsync(Role, RepairRole);
}

using System.Diagnostics;
using System.Globalization;
using HarborScanExporter.Database.Grants;
using HarborScanExporter.Settings;
using HarborSimulator.Schema;
using Npgsql;

namespace HarborScanExporter.Benchmarks;

/// <summary>A database of Harbor 2.11.0 with the rows of <see cref="HarborRows"/>, or with none, and the roles of deploy/sql.</summary>
internal sealed class FilledHarbor
{
    public const string Password = "benchmark";

    /// <summary>The least-privilege role, which every exporter here reads with.</summary>
    public const string Role = "harbor_scan_exporter";

    /// <summary>The role that repairs, or would.</summary>
    public const string RemediationRole = "harbor_scan_remediation";

    private FilledHarbor(PrivatePostgres server, string name) => (Server, Name) = (server, name);

    public PrivatePostgres Server { get; }

    public string Name { get; }

    /// <summary>How long the rows, their indexes and the vacuum took.</summary>
    public TimeSpan Filling { get; private set; }

    /// <summary>An empty database, without Harbor's tables.</summary>
    public static async Task<FilledHarbor> CreateEmptyAsync(PrivatePostgres server, string name)
    {
        await RunAsync(server, "postgres", $"create database {name} template template0");
        return new FilledHarbor(server, name);
    }

    /// <summary>A database with Harbor's tables and roles.</summary>
    /// <param name="server">Where.</param>
    /// <param name="name">The database.</param>
    /// <param name="tasks">Executions, and tasks; 0 for none.</param>
    public static async Task<FilledHarbor> CreateAsync(PrivatePostgres server, string name, int tasks = 0)
    {
        var harbor = await CreateEmptyAsync(server, name);
        await using (var connection = await harbor.OpenAsync()) await HarborSchema.CreateAsync(connection, HarborRelease.Parse("2.11.0"));
        var begun = Stopwatch.GetTimestamp();
        if (tasks > 0) await harbor.FillAsync(tasks);
        await harbor.RunAsync("vacuum (analyze)");
        await harbor.RunAsync("checkpoint");
        harbor.Filling = Stopwatch.GetElapsedTime(begun);
        await harbor.GrantAsync();
        return harbor;
    }

    /// <summary>Makes the roles, and gives them what they may do with this database's tables.</summary>
    public async Task GrantAsync()
    {
        await RunAsync(RoleScript.Filled(RoleScript.ScrapingRole, new Dictionary<string, string> { ["role"] = Role, ["database"] = Name, ["password"] = Password }));
        await RunAsync(RoleScript.Filled(RoleScript.RemediationRole, new Dictionary<string, string>
        {
            ["role"] = Role, ["remediation_role"] = RemediationRole, ["remediation_password"] = Password, ["database"] = Name,
        }));
    }

    /// <summary>Removes the database, with the sessions that may still be ending.</summary>
    public Task DropAsync() => RunAsync(Server, "postgres", $"drop database {Name} with (force)");

    /// <summary>An open connection as the owner.</summary>
    public Task<NpgsqlConnection> OpenAsync() => OpenAsync(Server, Name);

    /// <summary>The first column of the first row, as the owner.</summary>
    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync() ?? throw new InvalidOperationException($"No row: {sql}"));
    }

    /// <summary>Runs statements as the owner.</summary>
    public Task RunAsync(string sql) => RunAsync(Server, Name, sql);

    /// <summary>Ends every session of a role, as an administrator or a failover would.</summary>
    public Task EndSessionsAsync(string role) => RunAsync($"select pg_terminate_backend(pid) from pg_stat_activity where usename = '{role}'");

    /// <summary>The settings of an exporter that reads this database as the least-privilege role.</summary>
    public Dictionary<string, string> Environment(int port) => new(StringComparer.Ordinal)
    {
        [Setting.Names.DatabaseHost] = "127.0.0.1",
        [Setting.Names.DatabasePort] = Server.Port.ToString(CultureInfo.InvariantCulture),
        [Setting.Names.DatabaseUsername] = Role,
        [Setting.Names.DatabasePassword] = Password,
        [Setting.Names.DatabaseName] = Name,
        [Setting.Names.Listen] = $"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}",
    };

    // The tables are filled beside each other without their indexes and without the key between them, which are then built at once.
    private async Task FillAsync(int tasks)
    {
        var rows = new HarborRows(tasks, await ScalarAsync<DateTime>("select clock_timestamp() at time zone 'utc'"));
        const string key = "task_execution_id_fkey";
        var definition = await ScalarAsync<string>($"select pg_get_constraintdef(oid) from pg_constraint where conname = '{key}'");
        await RunAsync($"alter table task drop constraint {key}");
        await Task.WhenAll(FillAsync("execution", rows.Executions), FillAsync("task", rows.Tasks));
        await Task.WhenAll(RunAsync(rows.Others), RunAsync($"alter table task add constraint {key} {definition}"));
        await Task.WhenAll(RunAsync("vacuum (analyze) execution"), RunAsync("vacuum (analyze) task"));
    }

    private async Task FillAsync(string table, string sql)
    {
        const string secondary = "tablename = '{0}' and indexname not like '%\\_pkey'";
        var chosen = string.Format(CultureInfo.InvariantCulture, secondary, table);
        var build = await ScalarAsync<string>($"select string_agg(indexdef, ';') from pg_indexes where {chosen}");
        var drop = await ScalarAsync<string>($"select string_agg(format('drop index %I', indexname), ';') from pg_indexes where {chosen}");
        // Emptied in the same transaction, the table is a new file whose changes need no log: wal_level is minimal.
        await RunAsync($"begin; truncate {table}; {drop}; set local timezone = 'utc'; set local maintenance_work_mem = '512MB'; {sql} {build}; commit");
    }

    private static async Task RunAsync(PrivatePostgres server, string database, string sql)
    {
        await using var connection = await OpenAsync(server, database);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<NpgsqlConnection> OpenAsync(PrivatePostgres server, string database)
    {
        var connection = new NpgsqlConnection(server.ConnectionString(database));
        await connection.OpenAsync();
        return connection;
    }
}

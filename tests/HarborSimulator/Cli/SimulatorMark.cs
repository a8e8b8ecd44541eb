using HarborSimulator.Schema;
using Npgsql;
using StackExchange.Redis;

namespace HarborSimulator.Cli;

/// <summary>Keeps the simulator away from a real Harbor: it empties only what it filled itself, which a row in properties tells.</summary>
internal static class SimulatorMark
{
    private const string Mark = "harbor_simulator";

    /// <summary>Makes an empty Harbor database ready: creates missing tables, or empties those of an earlier run. True when there was an earlier run.</summary>
    /// <exception cref="CommandException">The database holds another schema version, or rows that the simulator did not write.</exception>
    public static async Task<bool> PrepareAsync(NpgsqlDataSource dataSource, HarborRelease release, CancellationToken cancellationToken)
    {
        if (await SchemaCommand.CreateAsync(dataSource, release, cancellationToken)) Console.WriteLine($"created the tables of Harbor {release}");
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var isOurs = await IsTrueAsync(connection, $"select exists (select 1 from properties where k = '{Mark}')", cancellationToken);
        if (!isOurs && await IsTrueAsync(connection, "select exists (select 1 from execution) or exists (select 1 from artifact)", cancellationToken))
            throw new CommandException("the database holds rows of a Harbor that is not simulated: give another database");
        if (isOurs)
        {
            Console.WriteLine("emptying the tables of an earlier run");
            List<string> tables = [];
            await using (var list = new NpgsqlCommand("select quote_ident(tablename) from pg_tables where schemaname = current_schema() and tablename <> 'schema_migrations' order by 1", connection))
            await using (var reader = await list.ExecuteReaderAsync(cancellationToken))
            {
                while (await reader.ReadAsync(cancellationToken)) tables.Add(reader.GetString(0));
            }
            await using var truncate = new NpgsqlCommand($"truncate {string.Join(", ", tables)} restart identity cascade", connection);
            await truncate.ExecuteNonQueryAsync(cancellationToken);
        }
        await using var mark = new NpgsqlCommand($"insert into properties (k, v) values ('{Mark}', 'true')", connection);
        await mark.ExecuteNonQueryAsync(cancellationToken);
        return isOurs;
    }

    /// <summary>Empties the Redis of an earlier run; refuses a Redis database that holds anything else.</summary>
    public static async Task PrepareAsync(IDatabase redis, bool wasOurs)
    {
        if ((long)await redis.ExecuteAsync("DBSIZE") == 0) return;
        if (!wasOurs) throw new CommandException("the Redis database is not empty: give another number");
        await redis.ExecuteAsync("FLUSHDB");
    }

    private static async Task<bool> IsTrueAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}

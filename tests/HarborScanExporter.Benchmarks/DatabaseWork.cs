using Npgsql;

namespace HarborScanExporter.Benchmarks;

/// <summary>What the server counted for one table.</summary>
/// <param name="SequentialScans">Reads of the whole table; each parallel worker counts.</param>
/// <param name="Pages">Pages of the table, its indexes and its TOAST table, found in shared_buffers or not.</param>
/// <param name="HeapPages">Those of the table alone.</param>
internal sealed record TableWork(double SequentialScans, double Pages, double HeapPages);

/// <summary>What the server did for a database: its own counters, before and after.</summary>
/// <param name="Tables">By table.</param>
/// <param name="TemporaryBytes">Spilled to disk by sorts and hashes.</param>
/// <param name="Milliseconds">Planning and running the statements of the exporters' role since the counters were last looked at, by pg_stat_statements.</param>
/// <param name="PlainRounds">Rounds of <see cref="PlainQuery.All"/> since the counters were last looked at; the last may have been a part of one.</param>
internal sealed record DatabaseWork(IReadOnlyDictionary<string, TableWork> Tables, double TemporaryBytes, double Milliseconds, double PlainRounds)
{
    // A session writes its counters when it ends, or when it has been idle for ten seconds.
    private const string UnwrittenSql = """
        select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
              and (state <> 'idle' or state_change > clock_timestamp() - interval '11 seconds')
        """;

    private const string TablesSql = """
        select relname, seq_scan::float8,
               (coalesce(heap_blks_read + heap_blks_hit, 0) + coalesce(idx_blks_read + idx_blks_hit, 0)
                + coalesce(toast_blks_read + toast_blks_hit, 0) + coalesce(tidx_blks_read + tidx_blks_hit, 0))::float8,
               (heap_blks_read + heap_blks_hit)::float8
        from pg_stat_user_tables join pg_statio_user_tables using (relid, relname)
        """;

    private const string StatementsSql = """
        select coalesce(sum(total_plan_time + total_exec_time), 0)::float8, coalesce(sum(calls) filter (where query like @plain), 0)::float8
        from pg_stat_statements join pg_roles on pg_roles.oid = userid
        where rolname = @role
        """;

    /// <summary>Pages of all the tables of Harbor, their indexes and their TOAST tables.</summary>
    public double Pages => Tables.Values.Sum(table => table.Pages);

    /// <summary>Reads of a whole table, of those that grow with the years.</summary>
    public double WholeReads => Tables["task"].SequentialScans + Tables["execution"].SequentialScans;

    /// <summary>The counters of now, once every session has written its own.</summary>
    public static async Task<DatabaseWork> CountedAsync(FilledHarbor harbor)
    {
        await using var connection = await harbor.OpenAsync();
        await using (var unwritten = new NpgsqlCommand(UnwrittenSql, connection))
        {
            while (await unwritten.ExecuteScalarAsync() is not 0L) await Task.Delay(100);
        }
        await using var spilled = new NpgsqlCommand("select temp_bytes::float8 from pg_stat_database where datname = current_database()", connection);
        var temporary = (double)(await spilled.ExecuteScalarAsync())!;
        var tables = new Dictionary<string, TableWork>(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand(TablesSql, connection))
        {
            await using var rows = await command.ExecuteReaderAsync();
            while (await rows.ReadAsync()) tables[rows.GetString(0)] = new TableWork(rows.GetDouble(1), rows.GetDouble(2), rows.GetDouble(3));
        }
        var (milliseconds, calls) = await TakeStatementsAsync(harbor.Server);
        return new DatabaseWork(tables, temporary, milliseconds, calls / PlainQuery.All.Count);
    }

    /// <summary>The work since <paramref name="before"/>, for each of so many scrapes.</summary>
    public DatabaseWork Since(DatabaseWork before, double scrapes) => new(
        Tables.ToDictionary(
            table => table.Key,
            table => before.Tables.TryGetValue(table.Key, out var first)
                ? new TableWork((table.Value.SequentialScans - first.SequentialScans) / scrapes, (table.Value.Pages - first.Pages) / scrapes, (table.Value.HeapPages - first.HeapPages) / scrapes)
                : table.Value,
            StringComparer.Ordinal),
        (TemporaryBytes - before.TemporaryBytes) / scrapes,
        Milliseconds / scrapes,
        PlainRounds);

    // The extension lives in the administrator's database and sees all of them. It begins anew at each look.
    private static async Task<(double Milliseconds, double PlainRounds)> TakeStatementsAsync(PrivatePostgres server)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString("postgres"));
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(StatementsSql, connection);
        command.Parameters.AddWithValue("role", FilledHarbor.Role);
        command.Parameters.AddWithValue("plain", $"%{PlainQuery.Grouping}");
        (double, double) taken;
        await using (var row = await command.ExecuteReaderAsync())
        {
            await row.ReadAsync();
            taken = (row.GetDouble(0), row.GetDouble(1));
        }
        await using var reset = new NpgsqlCommand("select pg_stat_statements_reset()", connection);
        await reset.ExecuteNonQueryAsync();
        return taken;
    }
}

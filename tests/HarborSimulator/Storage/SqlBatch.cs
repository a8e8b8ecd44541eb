using Npgsql;

namespace HarborSimulator.Storage;

/// <summary>
/// Statements in the order in which Harbor would send them, written many at a time, so that a day of Harbor takes seconds.
/// A read first writes what is waiting.
/// </summary>
internal sealed class SqlBatch(NpgsqlDataSource dataSource)
{
    private const int Size = 400;
    private readonly List<(string Sql, object[] Values)> _waiting = [];
    private readonly Dictionary<string, Queue<long>> _ids = new(StringComparer.Ordinal);

    /// <summary>Adds a statement with positional parameters; writes when enough are waiting.</summary>
    public async ValueTask AddAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        _waiting.Add((sql, values));
        if (_waiting.Count >= Size) await FlushAsync(cancellationToken);
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_waiting.Count == 0) return;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await WriteAsync(cancellationToken);
                _waiting.Clear();
                return;
            }
            catch (NpgsqlException error) when (error.IsTransient && attempt < 4)
            {
                // A deadlock or a lost connection rolled the whole batch back, so it can be sent again as it is.
            }
        }
    }

    /// <summary>Runs one statement by itself at once, so that its failure takes nothing else with it.</summary>
    public async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await FlushAsync(cancellationToken);
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var command = Command(connection, sql, values);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<List<T>> QueryAsync<T>(string sql, Func<NpgsqlDataReader, T> row, CancellationToken cancellationToken, params object[] values)
    {
        await FlushAsync(cancellationToken);
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var command = Command(connection, sql, values);
        await command.PrepareAsync(cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<T> rows = [];
        while (await reader.ReadAsync(cancellationToken)) rows.Add(row(reader));
        return rows;
    }

    /// <summary>The next id of a sequence. Ids are taken from the database 50 at a time, so a gap means nothing.</summary>
    public async ValueTask<long> NextIdAsync(string sequence, CancellationToken cancellationToken)
    {
        if (!_ids.TryGetValue(sequence, out var ids)) _ids[sequence] = ids = new Queue<long>();
        if (ids.Count == 0)
        {
            foreach (var id in await QueryAsync("select nextval($1::text::regclass) from generate_series(1, 50)", row => row.GetInt64(0), cancellationToken, sequence))
                ids.Enqueue(id);
        }
        return ids.Dequeue();
    }

    /// <summary>Gives the ids up that were taken from sequences and not used: the next ones are those that the database gives now.</summary>
    public void ForgetIds() => _ids.Clear();

    /// <summary>A connection of its own, for a transaction that stays open while others write.</summary>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        return await dataSource.OpenConnectionAsync(cancellationToken);
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        foreach (var (sql, values) in _waiting)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
            batch.BatchCommands.Add(command);
        }
        await batch.PrepareAsync(cancellationToken);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, object[] values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return command;
    }
}

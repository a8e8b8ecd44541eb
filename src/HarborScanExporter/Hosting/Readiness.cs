using HarborScanExporter.Database.Session;

namespace HarborScanExporter.Hosting;

/// <summary>Asks the database whether it answers: once for everybody who asks meanwhile, so that any number of them takes one connection.</summary>
internal sealed class Readiness(HarborDatabase database, TimeProvider time)
{
    /// <summary>How long the database may take.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly Lock _lock = new();
    private Task? _asking;

    /// <summary>Ends when the database has answered. On a frozen network a call that was given up ends late: until then nobody begins another.</summary>
    /// <exception cref="Npgsql.NpgsqlException">It does not.</exception>
    /// <exception cref="OperationCanceledException">It does not in time.</exception>
    public Task AskAsync()
    {
        lock (_lock)
        {
            if (_asking is null or { IsCompleted: true }) _asking = PingAsync();
            return _asking;
        }
    }

    private async Task PingAsync()
    {
        // Off the caller's lock.
        await Task.Yield();
        using var limit = new CancellationTokenSource(Limit, time);
        await database.PingAsync(limit.Token);
    }
}

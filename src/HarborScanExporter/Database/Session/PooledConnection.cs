using Npgsql;

namespace HarborScanExporter.Database.Session;

/// <summary>
/// Takes a connection out of a pool that may hold dead ones: the server was restarted or failed over, or it or PgBouncer ended sessions that were
/// idle, sooner than one scrape follows the other (design 3.3).
/// </summary>
internal static class PooledConnection
{
    /// <summary>Opens a connection and does the first thing on it; on a new one when the first was dead. It is closed when that fails.</summary>
    /// <param name="source">The pool.</param>
    /// <param name="begin">What is done first. It is done twice where the first connection is dead, so it must not have left anything behind then.</param>
    /// <param name="cancellationToken">Ends the waiting for both.</param>
    /// <exception cref="NpgsqlException">The database is away or refuses.</exception>
    public static async Task<T> BeginAsync<T>(NpgsqlDataSource source, Func<NpgsqlConnection, CancellationToken, Task<T>> begin, CancellationToken cancellationToken)
    {
        try
        {
            return await OnceAsync(source, begin, cancellationToken);
        }
        catch (DeadConnectionException)
        {
            // What ended this one has mostly ended the other idle ones too.
            source.Clear();
        }
        try
        {
            return await OnceAsync(source, begin, cancellationToken);
        }
        catch (DeadConnectionException dead)
        {
            throw dead.Cause;
        }
    }

    private static async Task<T> OnceAsync<T>(NpgsqlDataSource source, Func<NpgsqlConnection, CancellationToken, Task<T>> begin, CancellationToken cancellationToken)
    {
        var connection = await source.OpenConnectionAsync(cancellationToken);
        try
        {
            return await begin(connection, cancellationToken);
        }
        catch (NpgsqlException error)
        {
            await connection.DisposeAsync();
            if (IsEndOfSession(error)) throw new DeadConnectionException(error);
            throw;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether the session is over, and not only the statement; a server that does not answer in time may be slow, and a second try would be too.</summary>
    private static bool IsEndOfSession(NpgsqlException error) => error switch
    {
        PostgresException answer => answer.InvariantSeverity is "FATAL" or "PANIC",
        UnreadableSchemaException => false,
        _ => error.InnerException is not TimeoutException,
    };

    private sealed class DeadConnectionException(NpgsqlException cause) : Exception(cause.Message, cause)
    {
        public NpgsqlException Cause { get; } = cause;
    }
}

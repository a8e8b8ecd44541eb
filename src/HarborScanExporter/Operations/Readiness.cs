using HarborScanExporter.Database;
using HarborScanExporter.Scraping;

namespace HarborScanExporter.Operations;

/// <summary>Whether the database can be reached. It is asked once for all who ask at the same time, so that they never take its connections from the scrapes.</summary>
internal sealed class Readiness
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    private readonly JoinedRead<string?> _ping;

    public Readiness(HarborDatabase database, TimeProvider time) => _ping = new JoinedRead<string?>(cancellationToken => PingAsync(database, time, cancellationToken));

    /// <summary>One of <see cref="FailureReason.All"/> when the database does not answer within two seconds; null when it does.</summary>
    /// <exception cref="OperationCanceledException">Whoever asked went away.</exception>
    public Task<string?> ProblemAsync(CancellationToken hangUp) => _ping.ReadAsync(hangUp);

    private static async Task<string?> PingAsync(HarborDatabase database, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await database.PingAsync(either.Token).WaitAsync(Limit, time, cancellationToken);
            return null;
        }
        catch (Exception error)
        {
            // Whatever is wrong with the database, this process answers.
            return FailureReason.Of(error);
        }
    }
}

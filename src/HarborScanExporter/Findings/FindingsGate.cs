namespace HarborScanExporter.Findings;

/// <summary>
/// Lets one look at a time at Harbor; whoever asks meanwhile shares its report. A look takes one connection for its collection and one for
/// the names of the artifacts: with more looks at once, pages that refresh themselves would take the database from the scrapes.
/// </summary>
internal sealed class FindingsGate(FindingsReader reader)
{
    private readonly JoinedRead<FindingsReport> _reading = new(reader.ReadAsync);

    /// <summary>Joins the look that is under way or begins one.</summary>
    /// <param name="hangUp">Whoever asked went away; the look is cancelled when nobody else waits for it.</param>
    /// <exception cref="OperationCanceledException">Whoever asked went away.</exception>
    public Task<FindingsReport> ReadAsync(CancellationToken hangUp) => _reading.ReadAsync(hangUp);
}

namespace HarborScanExporter.Operations;

/// <summary>
/// Lets one look at a time at Harbor; whoever asks meanwhile shares its report. A look takes one connection for its collection and one for
/// the names of the artifacts: with more looks at once, pages that refresh themselves would take the database from the scrapes.
/// </summary>
internal sealed class FindingsGate(FindingsReader reader)
{
    private readonly Lock _lock = new();
    private Look? _current;

    /// <summary>Joins the look that is under way or begins one.</summary>
    /// <param name="hangUp">Whoever asked went away; the look is cancelled when nobody else waits for it.</param>
    /// <exception cref="OperationCanceledException">Whoever asked went away.</exception>
    public async Task<FindingsReport> ReadAsync(CancellationToken hangUp)
    {
        Look look;
        lock (_lock)
        {
            look = _current ??= new Look(reader, Ended);
            look.Waiting++;
        }
        try
        {
            return await look.Report.WaitAsync(hangUp);
        }
        finally
        {
            if (Left(look)) await look.CancelAsync();
        }
    }

    private bool Left(Look look)
    {
        lock (_lock)
        {
            if (--look.Waiting > 0) return false;
            if (_current == look) _current = null;
            return true;
        }
    }

    private void Ended(Look look)
    {
        lock (_lock)
        {
            if (_current == look) _current = null;
        }
    }

    private sealed class Look
    {
        public Look(FindingsReader reader, Action<Look> ended)
        {
            var cancel = new CancellationTokenSource();
            Report = ReadAsync(reader, ended, cancel.Token);
            CancelAsync = async () =>
            {
                await cancel.CancelAsync();
                cancel.Dispose();
            };
        }

        public int Waiting { get; set; }

        public Task<FindingsReport> Report { get; }

        /// <summary>Cancels what still runs; called once, when nobody waits any more.</summary>
        public Func<Task> CancelAsync { get; }

        private async Task<FindingsReport> ReadAsync(FindingsReader reader, Action<Look> ended, CancellationToken cancellationToken)
        {
            // Off the caller's lock.
            await Task.Yield();
            try
            {
                return await reader.ReadAsync(cancellationToken);
            }
            finally
            {
                ended(this);
            }
        }
    }
}

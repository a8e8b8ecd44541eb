namespace HarborScanExporter.Findings;

/// <summary>Reads once for everybody who asks meanwhile; what nobody waits for any more is cancelled.</summary>
/// <param name="read">Reads.</param>
internal sealed class JoinedRead<T>(Func<CancellationToken, Task<T>> read)
{
    private readonly Lock _lock = new();
    private Reading? _current;

    /// <summary>Joins the reading that is under way or begins one.</summary>
    /// <param name="hangUp">Whoever asked went away; the reading is cancelled when nobody else waits for it.</param>
    /// <exception cref="OperationCanceledException">Whoever asked went away.</exception>
    public async Task<T> ReadAsync(CancellationToken hangUp)
    {
        Reading reading;
        lock (_lock)
        {
            reading = _current ??= new Reading(read, Ended);
            reading.Waiting++;
        }
        try
        {
            return await reading.Answer.WaitAsync(hangUp);
        }
        finally
        {
            if (Left(reading)) await reading.CancelAsync();
        }
    }

    private bool Left(Reading reading)
    {
        lock (_lock)
        {
            if (--reading.Waiting > 0) return false;
            if (_current == reading) _current = null;
            return true;
        }
    }

    private void Ended(Reading reading)
    {
        lock (_lock)
        {
            if (_current == reading) _current = null;
        }
    }

    private sealed class Reading
    {
        public Reading(Func<CancellationToken, Task<T>> read, Action<Reading> ended)
        {
            var cancel = new CancellationTokenSource();
            Answer = ReadAsync(read, ended, cancel.Token);
            CancelAsync = async () =>
            {
                await cancel.CancelAsync();
                cancel.Dispose();
            };
        }

        public int Waiting { get; set; }

        public Task<T> Answer { get; }

        /// <summary>Cancels what still runs; called once, when nobody waits any more.</summary>
        public Func<Task> CancelAsync { get; }

        private async Task<T> ReadAsync(Func<CancellationToken, Task<T>> read, Action<Reading> ended, CancellationToken cancellationToken)
        {
            // Off the caller's lock.
            await Task.Yield();
            try
            {
                return await read(cancellationToken);
            }
            finally
            {
                ended(this);
            }
        }
    }
}

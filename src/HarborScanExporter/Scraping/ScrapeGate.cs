using System.Globalization;

namespace HarborScanExporter.Scraping;

/// <summary>
/// Lets one collection at a time at the database: scrapes that arrive meanwhile share its answer. The gate cannot stay shut: at the
/// deadline the collection is answered for and left to end by itself, because a cancelled call on a frozen network returns only after
/// half a minute.
/// </summary>
internal sealed class ScrapeGate(CollectionRun run, ProcessCounters counters, TimeProvider time)
{
    /// <summary>What is kept from the scraper's timeout for writing and sending the answer.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(0.5);

    /// <summary>Below this no collection can end; a scraper that asks for less gets an honest failure.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(0.1);

    /// <summary>
    /// A flight answers at its own deadline. Whoever began it waits this much longer, so as to hear that answer, which is counted and told in
    /// the log, instead of racing it; it is taken from the margin.
    /// </summary>
    private static readonly TimeSpan Hearing = TimeSpan.FromSeconds(0.2);

    private readonly Lock _lock = new();
    private Flight? _current;

    /// <summary>The smaller of the setting and what the scraper says in X-Prometheus-Scrape-Timeout-Seconds, less the margin.</summary>
    public static TimeSpan Deadline(TimeSpan setting, string? header)
    {
        if (!double.TryParse(header, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) || !double.IsFinite(seconds) || seconds <= 0 || seconds > 86400)
            return setting;
        var asked = TimeSpan.FromSeconds(seconds) - Margin;
        return asked < Least ? Least : asked < setting ? asked : setting;
    }

    /// <summary>Joins the collection that is under way or begins one.</summary>
    /// <param name="timeout">The scrape's own deadline.</param>
    /// <param name="hangUp">The client went away; the collection is cancelled when no other scrape waits for it.</param>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Exposition> ScrapeAsync(TimeSpan timeout, CancellationToken hangUp)
    {
        Flight flight;
        lock (_lock)
        {
            if (_current is null) _current = new Flight(timeout, run, counters, time, Landed);
            else counters.ScrapeCoalesced();
            flight = _current;
            flight.Waiting++;
        }
        try
        {
            return await flight.Answer.WaitAsync(timeout + Hearing, time, hangUp);
        }
        catch (TimeoutException)
        {
            return run.Nothing(FailureReason.Timeout);
        }
        finally
        {
            if (Left(flight)) _ = flight.EndAsync();
        }
    }

    /// <summary>Whether nobody waits for the flight any more; the next scrape begins another.</summary>
    private bool Left(Flight flight)
    {
        lock (_lock)
        {
            if (--flight.Waiting > 0) return false;
            if (_current == flight) _current = null;
            return true;
        }
    }

    private void Landed(Flight flight)
    {
        lock (_lock)
        {
            if (_current == flight) _current = null;
        }
    }

    private sealed class Flight
    {
        public Flight(TimeSpan timeout, CollectionRun run, ProcessCounters counters, TimeProvider time, Action<Flight> landed)
        {
            // The collectors are cancelled a little before the deadline, so that those that came to an end are still answered.
            var cancel = new CancellationTokenSource(timeout * 0.95, time);
            counters.CollectionBegan();
            Answer = AnswerAsync(timeout, run, time, landed, cancel.Token);
            EndAsync = async () =>
            {
                await cancel.CancelAsync();
                cancel.Dispose();
            };
        }

        public int Waiting { get; set; }

        public Task<Exposition> Answer { get; }

        /// <summary>Cancels what still runs. Cancelling connects to the server, and must hold up neither the gate nor the answer.</summary>
        public Func<Task> EndAsync { get; }

        private async Task<Exposition> AnswerAsync(TimeSpan timeout, CollectionRun run, TimeProvider time, Action<Flight> landed, CancellationToken cancellationToken)
        {
            // Off the caller's lock.
            await Task.Yield();
            try
            {
                var collecting = run.CollectAsync(timeout, cancellationToken);
                // A collection that was given up ends some time later; nobody asks for its outcome then.
                _ = collecting.ContinueWith(ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                return run.InTime(await collecting.WaitAsync(timeout, time, CancellationToken.None));
            }
            catch (Exception error)
            {
                // Whatever went wrong, the answer is a document that says so.
                return run.Counted(run.GivenUp(error));
            }
            finally
            {
                landed(this);
            }
        }
    }
}

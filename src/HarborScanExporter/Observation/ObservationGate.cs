using System.Globalization;
using HarborScanExporter.Failures;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Observation;

/// <summary>
/// Lets one observation at a time at the database: who asks meanwhile shares it. It runs as long as the one who waits longest allows, and no
/// longer than the settings; who asked for less gets what there is by then. The gate cannot stay shut: at the deadline the observation is
/// answered for and left to end by itself, because a cancelled call on a frozen network returns only after
/// half a minute.
/// </summary>
internal sealed class ObservationGate(Observer observer, ObservationLog log, ObservationCounts counts, ExporterSettings settings, TimeProvider time)
{
    /// <summary>What is kept from the scraper's timeout for writing and sending the answer.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(0.5);

    /// <summary>Below this no observation can end; a scraper that asks for less gets an honest failure.</summary>
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(0.1);

    /// <summary>
    /// A flight answers at its own deadline. Whoever waits for it waits this much longer, so as to hear that answer, which is counted and told
    /// in the log, instead of racing it; it is taken from the margin.
    /// </summary>
    private static readonly TimeSpan Hearing = TimeSpan.FromSeconds(0.2);

    /// <summary>The reads are cancelled a little before the deadline, so that the parts that were read are still answered.</summary>
    private const double ReadsShare = 0.95;

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

    /// <summary>Joins the observation that is under way or begins one.</summary>
    /// <param name="timeout">The scrape's own deadline.</param>
    /// <param name="hangUp">The client went away; the observation is cancelled when nobody else waits for it.</param>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<HarborObservation> ObserveAsync(TimeSpan timeout, CancellationToken hangUp)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            var scrape = Join(timeout - time.GetElapsedTime(begun));
            var flight = scrape.Flight;
            try
            {
                var answer = await flight.Answer.WaitAsync(scrape.Patience + Hearing, time, hangUp);
                // The time of the observation was over before that of this scrape: another one may still succeed.
                if (answer.Reason is null || !flight.RanOutFor(scrape)) return answer;
            }
            catch (TimeoutException)
            {
                counts.CountCutShort();
                return flight.SoFar();
            }
            finally
            {
                if (Left(scrape)) _ = flight.EndAsync();
            }
        }
    }

    private HarborObservation Empty => new() { Topics = observer.Topics };

    private Task ReadAsync(HarborObservation seen, Func<TimeSpan> awaited, CancellationToken cancellationToken) => observer.ReadAsync(seen, awaited, cancellationToken);

    /// <summary>The answer of an observation that came to its end.</summary>
    private HarborObservation InTime(HarborObservation seen)
    {
        var reason = seen.Reason;
        log.InTime(reason);
        Count(reason);
        return seen;
    }

    /// <summary>The answer of one that did not: nothing was read.</summary>
    private HarborObservation GivenUp(Exception error)
    {
        log.GivenUp(error);
        Count(FailureReason.Of(error));
        return Empty with { Failure = error };
    }

    /// <summary>Counts one that failed once, by its first reason.</summary>
    private void Count(string? reason)
    {
        if (reason is not null) counts.CountFailed(reason);
    }

    private Waiting Join(TimeSpan patience)
    {
        lock (_lock)
        {
            if (_current?.Admit(patience) is { } joined)
            {
                counts.CountShared();
                return joined;
            }
            counts.CountBegun();
            _current = Flight.Begin(patience, settings.ScrapeTimeout, this, time, Landed);
            return _current.Admit(patience)!;
        }
    }

    /// <summary>Whether nobody waits for the flight any more; the next scrape begins another.</summary>
    private bool Left(Waiting scrape)
    {
        lock (_lock)
        {
            if (!scrape.Flight.Leave(scrape)) return false;
            if (_current == scrape.Flight) _current = null;
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

    /// <summary>A scrape that waits for a flight.</summary>
    /// <param name="Flight">The flight.</param>
    /// <param name="Patience">How long it waits.</param>
    /// <param name="Until">Its deadline, counted from the beginning of the flight.</param>
    private sealed record Waiting(Flight Flight, TimeSpan Patience, TimeSpan Until);

    /// <summary>An observation and those that wait for it; those are guarded by the gate's lock.</summary>
    private sealed class Flight
    {
        private readonly ObservationGate _gate;
        private readonly TimeProvider _time;
        private readonly TimeSpan _most;
        private readonly long _begun;
        private readonly HashSet<Waiting> _waiting = new(ReferenceEqualityComparer.Instance);
        private readonly CancellationTokenSource _reads;
        private readonly CancellationTokenSource _deadline;
        private readonly HarborObservation _seen;
        private readonly Lock _soFarLock = new();
        private (int Progress, HarborObservation Answer)? _soFar;
        private TimeSpan _until;
        private TimeSpan? _ranOutAt;
        private volatile bool _isLeft;

        private Flight(TimeSpan until, TimeSpan most, ObservationGate gate, TimeProvider time, Action<Flight> landed, CancellationTokenSource reads, CancellationTokenSource deadline)
        {
            (_gate, _time, _most, _begun, _until, _reads, _deadline) = (gate, time, most, time.GetTimestamp(), until, reads, deadline);
            _seen = gate.Empty;
            Answer = AnswerAsync(landed);
        }

        public static Flight Begin(TimeSpan patience, TimeSpan most, ObservationGate gate, TimeProvider time, Action<Flight> landed)
        {
            var until = patience < most ? patience : most;
            return new Flight(until, most, gate, time, landed, new CancellationTokenSource(until * ReadsShare, time), new CancellationTokenSource(until, time));
        }

        public Task<HarborObservation> Answer { get; }

        /// <summary>Whether it was ended so long before the deadline of a scrape that another may still succeed.</summary>
        public bool RanOutFor(Waiting scrape) => _ranOutAt is { } at && scrape.Until * ReadsShare - at >= Margin;

        /// <summary>Lets a scrape wait for it, and goes on as long as that one waits; null when it is being ended.</summary>
        public Waiting? Admit(TimeSpan patience)
        {
            if (_reads.IsCancellationRequested) return null;
            var scrape = new Waiting(this, patience, _time.GetElapsedTime(_begun) + patience);
            _waiting.Add(scrape);
            if (scrape.Until > _until) Until(scrape.Until);
            return scrape;
        }

        /// <summary>A scrape waits no longer, and the flight ends with the last of the others.</summary>
        /// <returns>Whether nobody waits any more.</returns>
        public bool Leave(Waiting scrape)
        {
            _waiting.Remove(scrape);
            if (_waiting.Count == 0) return true;
            if (scrape.Until >= _until && !Answer.IsCompleted) Until(_waiting.Max(other => other.Until));
            return false;
        }

        /// <summary>What has come to its end by now; the same answer to all who ask before there is more.</summary>
        public HarborObservation SoFar()
        {
            lock (_soFarLock)
            {
                var progress = _seen.Progress;
                if (_soFar?.Progress != progress) _soFar = (progress, _seen with { Failure = new TimeoutException(), IsCutShort = true });
                return _soFar.Value.Answer;
            }
        }

        /// <summary>Cancels what still runs; called once, when nobody waits any more. Cancelling connects to the server, and must hold up neither the gate nor the answer.</summary>
        public async Task EndAsync()
        {
            _isLeft = true;
            await _reads.CancelAsync();
            await _deadline.CancelAsync();
            _reads.Dispose();
            _deadline.Dispose();
        }

        private void Until(TimeSpan until)
        {
            _until = until < _most ? until : _most;
            var elapsed = _time.GetElapsedTime(_begun);
            _reads.CancelAfter(Positive(_until * ReadsShare - elapsed));
            _deadline.CancelAfter(Positive(_until - elapsed));
        }

        private TimeSpan Awaited() => _isLeft ? TimeSpan.Zero : Positive(_until - _time.GetElapsedTime(_begun));

        private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;

        private async Task<HarborObservation> AnswerAsync(Action<Flight> landed)
        {
            var (cancelled, deadline) = (_reads.Token, _deadline.Token);
            // Off the caller's lock.
            await Task.Yield();
            try
            {
                var reading = _gate.ReadAsync(_seen, Awaited, cancelled);
                // One that was given up ends some time later; nobody asks for its outcome then.
                _ = reading.ContinueWith(ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                await reading.WaitAsync(deadline);
                return _gate.InTime(_seen);
            }
            catch (Exception error)
            {
                // Whatever went wrong, the answer says so.
                return _gate.GivenUp(error);
            }
            finally
            {
                if (cancelled.IsCancellationRequested) _ranOutAt = _time.GetElapsedTime(_begun);
                landed(this);
            }
        }
    }
}

using System.Collections.Concurrent;

namespace HarborScanExporter.Failures;

/// <summary>
/// Says each trouble once when it begins and once when it is over, not at every scrape: a database that is away over night must not
/// fill a disk.
/// </summary>
internal sealed partial class FailureLog(ILogger<FailureLog> logger)
{
    /// <summary>The end of a message whose repetition is kept back; without sense in a program that looks once.</summary>
    public const string SaidOnce = " This is said once until it works again.";

    private readonly ConcurrentDictionary<string, string> _open = new(StringComparer.Ordinal);

    /// <summary>A part failed.</summary>
    /// <param name="part">The collector, or <c>collection</c> for all of it.</param>
    /// <param name="reason">One of <see cref="FailureReason.All"/>.</param>
    /// <param name="error">What happened.</param>
    public void Failed(string part, string reason, Exception error)
    {
        var known = _open.TryGetValue(part, out var before) && before == reason;
        _open[part] = reason;
        if (known) return;
        // What says its own mend; those below are the database's.
        if (error is IKnownFailure { SaysFix: true }) LogFailed(part, reason, error.Message, "");
        else if (reason == FailureReason.Other && DatabaseMend.Of(error, DatabaseMend.SignIn.Scraping) is null) LogUnexpected(error, part, FailureReason.Mend(reason));
        else LogFailed(part, reason, FailureReason.Words(error) + ".", FailureReason.Mend(error));
    }

    /// <summary>A part worked.</summary>
    public void Succeeded(string part)
    {
        if (_open.TryRemove(part, out _)) LogRecovered(part);
    }

    /// <summary>A part is missing by the shape of this database, which fails nothing; said once until it is there.</summary>
    public void Absent(string part, string message)
    {
        if (_open.TryAdd(part, message)) LogAbsent(message);
    }

    [LoggerMessage(1, LogLevel.Warning, "{Part} failed ({Reason}): {Message} {Mend}" + SaidOnce)]
    private partial void LogFailed(string part, string reason, string message, string mend);

    [LoggerMessage(2, LogLevel.Error, "{Part} failed for a reason that is not known. {Mend}" + SaidOnce)]
    private partial void LogUnexpected(Exception error, string part, string mend);

    [LoggerMessage(3, LogLevel.Information, "{Part} works again.")]
    private partial void LogRecovered(string part);

    [LoggerMessage(4, LogLevel.Warning, "{Message}")]
    private partial void LogAbsent(string message);
}

using HarborScanExporter.Failures;
using HarborScanExporter.Text;

namespace HarborScanExporter.Cli;

/// <summary>The program's own log as short lines on the error stream, for a person who waits for a command.</summary>
internal sealed class ShortLines(TextWriter error) : ILoggerProvider, ILogger
{
    /// <summary>Whether anything was said.</summary>
    public bool HasSpoken { get; private set; }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        HasSpoken = true;
        var message = formatter(state, exception).Replace(FailureLog.SaidOnce, "", StringComparison.Ordinal).Trim();
        var cause = exception is null ? "" : $" ({exception.GetType().Name}: {exception.Message.ReplaceLineEndings(" ")})";
        lock (error) error.WriteLine(VisibleText.Of($"{(logLevel == LogLevel.Warning ? "warning" : "error")}: {message}{cause}"));
    }

    public void Dispose()
    {
        // The stream is the process's.
    }
}

using HarborScanExporter.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace HarborScanExporter.Hosting;

/// <summary>Chooses it.</summary>
internal static class LineFormatterChoice
{
    public static ILoggingBuilder AddLines(this ILoggingBuilder logging)
    {
        logging.Services.AddSingleton<ConsoleFormatter, LineFormatter>();
        return logging.AddConsole(console => console.FormatterName = LineFormatter.FormatterName);
    }
}

/// <summary>The log as lines for a person at a terminal: one for each record, whatever its text holds.</summary>
internal sealed class LineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    /// <summary>The name that chooses it.</summary>
    public const string FormatterName = "lines";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var error = logEntry.Exception is { } exception ? $" {exception.ToString().ReplaceLineEndings(" ")}" : "";
        textWriter.Write(FormattableString.Invariant($"{time.GetUtcNow():yyyy-MM-ddTHH:mm:ssZ} {WordOf(logEntry.LogLevel)}: {logEntry.Category}[{logEntry.EventId.Id}] "));
        textWriter.Write(VisibleText.Of(message + error));
        textWriter.Write('\n');
    }

    private static string WordOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };
}

using Npgsql;

namespace HarborScanExporter.Database;

/// <summary>What went wrong in words that fit into a sentence.</summary>
internal static class ErrorText
{
    /// <summary>
    /// The server's own word where there is one: the message of its exception has SQLSTATE before it, and detail and position on lines of their own.
    /// </summary>
    public static string Of(Exception error) => error switch
    {
        PostgresException server => server.MessageText.ReplaceLineEndings(" "),
        { InnerException: PostgresException server } and NpgsqlException => server.MessageText.ReplaceLineEndings(" "),
        _ => error.Message.ReplaceLineEndings(" "),
    };

    /// <summary>The same with a full stop.</summary>
    public static string Sentence(Exception error) => Of(error) is var text && text.EndsWith('.') ? text : text + ".";
}

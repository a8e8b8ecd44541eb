using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using StackExchange.Redis;

namespace HarborScanExporter.JobService;

/// <summary>A connection that could not be made, with what the server or the way to it says when it is tried by hand.</summary>
/// <param name="said">That.</param>
internal sealed class FirstWordsException(Exception said) : Exception(said.Message, said);

/// <summary>
/// What a server says first. The client says of a connection that failed only that it did, so that the same is asked once more by hand: the connection, TLS,
/// the password, the database number.
/// </summary>
internal static class FirstWords
{
    private const int MaxCharacters = 200;

    /// <summary>Connects and asks.</summary>
    /// <param name="server">Where it is.</param>
    /// <param name="tls">Whether it is reached by TLS.</param>
    /// <param name="user">Null for the default user.</param>
    /// <param name="password">Null for none.</param>
    /// <param name="database">The database number; null at a Sentinel, which has none.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The error by which it failed, with the server's words when it said any; null when nothing is wrong.</returns>
    public static async Task<Exception?> AskAsync(EndPoint server, bool tls, string? user, string? password, int? database, CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            if (server is DnsEndPoint name) await client.ConnectAsync(name.Host, name.Port, cancellationToken);
            else await client.ConnectAsync((IPEndPoint)server, cancellationToken);
            await using var stream = client.GetStream();
            if (!tls) return await AskAsync(stream, user, password, database, cancellationToken);
            await using var encrypted = new SslStream(stream);
            var host = server is DnsEndPoint named ? named.Host : ((IPEndPoint)server).Address.ToString();
            await encrypted.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = host }, cancellationToken);
            return await AskAsync(encrypted, user, password, database, cancellationToken);
        }
        catch (Exception error) when (error is SocketException or IOException or System.Security.Authentication.AuthenticationException)
        {
            return error;
        }
    }

    private static async Task<Exception?> AskAsync(Stream stream, string? user, string? password, int? database, CancellationToken cancellationToken)
    {
        string[][] commands =
        [
            .. password is null ? [] : new[] { user is null ? new[] { "AUTH", password } : ["AUTH", user, password] },
            ["PING"],
            .. database is { } number ? new[] { new[] { "SELECT", number.ToString(CultureInfo.InvariantCulture) } } : [],
        ];
        await stream.WriteAsync(Encoding.UTF8.GetBytes(string.Concat(commands.Select(Written))), cancellationToken);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        for (var i = 0; i < commands.Length; i++)
        {
            var line = await LineAsync(reader, cancellationToken);
            if (line is null) return i == 0 ? new EndOfStreamException("the connection was closed without a word") : null;
            if (line.StartsWith('-')) return new RedisServerException(Cleaned(line[1..], password));
            if (!line.StartsWith('+')) return new InvalidDataException(Cleaned(line, password));
        }
        return null;
    }

    private static string Written(string[] words) =>
        string.Create(CultureInfo.InvariantCulture, $"*{words.Length}\r\n") + string.Concat(words.Select(word => string.Create(CultureInfo.InvariantCulture, $"${Encoding.UTF8.GetByteCount(word)}\r\n{word}\r\n")));

    /// <summary>A line, or as much of it as is shown; null at the end.</summary>
    private static async Task<string?> LineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new char[1];
        while (line.Length < 2 * MaxCharacters)
        {
            if (await reader.ReadAsync(one, cancellationToken) == 0) return line.Length == 0 ? null : line.ToString();
            if (one[0] == '\n') break;
            line.Append(one[0]);
        }
        return line.ToString();
    }

    /// <summary>Some servers repeat what they were sent, the password too.</summary>
    private static string Cleaned(string line, string? password)
    {
        var own = line.Split(", with args", 2)[0];
        if (!string.IsNullOrEmpty(password)) own = own.Replace(password, "...", StringComparison.Ordinal);
        return new string([.. own.Where(letter => !char.IsControl(letter)).Take(MaxCharacters)]);
    }
}

using System.Security.Cryptography;
using System.Text;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Operations;

/// <summary>
/// The token of the second listener. Its file is read at every use: a mounted secret is exchanged behind a link whose own time never
/// changes, and the file is a few bytes. A file that is missing or too short lets nobody in.
/// </summary>
internal sealed partial class OperationsToken(OperationsSettings settings, ILogger<OperationsToken> logger)
{
    /// <summary>A file longer than this holds no token.</summary>
    private const int MostBytes = 4096;

    private string? _told;

    /// <summary>Whether this is the token; null when there is none to compare with.</summary>
    /// <param name="given">What the request brought.</param>
    public bool? Is(string given)
    {
        if (Read() is not { } token) return null;
        // Hashes are of equal length, so that the comparison tells nothing of the token's.
        return CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(token)), SHA256.HashData(Encoding.UTF8.GetBytes(given)));
    }

    private string? Read()
    {
        string? problem = null;
        var token = "";
        try
        {
            using var file = File.OpenRead(settings.TokenFile);
            var bytes = new byte[MostBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            token = Encoding.UTF8.GetString(bytes, 0, length).Trim();
            if (length > MostBytes) problem = $"{settings.TokenFile} has more than {MostBytes} bytes";
            else if (token.Length < OperationsSettings.LeastTokenLength) problem = $"the token in {settings.TokenFile} has fewer than {OperationsSettings.LeastTokenLength} characters";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            problem = $"there is no readable file {settings.TokenFile}";
        }
        if (Interlocked.Exchange(ref _told, problem) != problem)
        {
            if (problem is null) LogUsable(logger, Setting.Names.OperationsTokenFile);
            else LogUnusable(logger, Setting.Names.OperationsTokenFile, problem);
        }
        return problem is null ? token : null;
    }

    [LoggerMessage(30, LogLevel.Error, "{Setting}: {Problem}. The operations listener lets nobody in until the file holds a token, for example one of openssl rand -hex 32.")]
    private static partial void LogUnusable(ILogger logger, string setting, string problem);

    [LoggerMessage(31, LogLevel.Information, "{Setting}: the file holds a token again.")]
    private static partial void LogUsable(ILogger logger, string setting);
}

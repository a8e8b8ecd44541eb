using System.Security.Cryptography;
using System.Text;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Http;

/// <summary>The token of the second listener.</summary>
internal sealed class OperationsToken(OperationsSettings settings)
{
    /// <summary>Whether this is the token that the file holds now.</summary>
    /// <param name="given">What the request brought.</param>
    public async Task<bool> IsAsync(string given) => Is(await settings.TokenFile.ReadAsync(), given);

    /// <summary>Whether both are the same, in a time that tells nothing of the token.</summary>
    /// <param name="token">The token.</param>
    /// <param name="given">What the request brought.</param>
    public static bool Is(string token, string given) =>
        // Hashes are of equal length, so that the comparison tells nothing of the token's.
        CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(token)), SHA256.HashData(Encoding.UTF8.GetBytes(given)));
}

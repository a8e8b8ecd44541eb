using System.Security.Cryptography.X509Certificates;

namespace HarborSimulator.Api;

/// <summary>Where the API is served, and to whom.</summary>
public sealed record HarborApiSettings
{
    /// <summary>An http or https URL of one address and port; port 0 is a free one.</summary>
    public Uri Listen { get; init; } = new("http://127.0.0.1:0");

    /// <summary>The server's certificate with its key, for https.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Who may sign in.</summary>
    public IReadOnlyList<HarborApiUser> Users { get; init; } = [HarborApiUser.Administrator];
}

namespace HarborSimulator.Api;

/// <summary>A request that the API received.</summary>
/// <param name="Method">GET, PUT, POST or DELETE.</param>
/// <param name="Path">The path as it was sent, with its encoding.</param>
/// <param name="User">The name that came with a password, right or wrong; null without one.</param>
public sealed record HarborApiRequest(string Method, string Path, string? User);

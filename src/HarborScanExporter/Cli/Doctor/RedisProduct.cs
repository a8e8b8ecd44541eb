using StackExchange.Redis;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>Which server answers: Redis, or Valkey, which Harbor ships since 2.15.2 and which also names the Redis it is compatible with.</summary>
internal static class RedisProduct
{
    /// <summary>The command that asks.</summary>
    public const string Command = "INFO";

    /// <summary>Asks where the user may.</summary>
    /// <returns>For example <c>Valkey 8.0.1</c>; null when the user may not ask, or the server does not say.</returns>
    public static async Task<string?> ReadAsync(IDatabase redis, CancellationToken cancellationToken)
    {
        try
        {
            return Of((string?)await redis.ExecuteAsync(Command, "server").WaitAsync(cancellationToken) ?? "");
        }
        catch (RedisServerException)
        {
            return null;
        }
    }

    /// <summary>What the section <c>server</c> says.</summary>
    /// <param name="info">Lines of a name, a colon and a value.</param>
    public static string? Of(string info)
    {
        string? Value(string name) => info.Split('\n').Where(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Select(line => line[(name.Length + 1)..].Trim()).FirstOrDefault();
        return Value("valkey_version") is { } valkey ? $"Valkey {valkey}" : Value("server_name") == "valkey" ? "Valkey" : Value("redis_version") is { } redis ? $"Redis {redis}" : null;
    }
}

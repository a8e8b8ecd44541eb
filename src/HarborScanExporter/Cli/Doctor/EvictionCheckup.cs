using StackExchange.Redis;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>Whether Redis may throw jobs away when its memory is full: it is a queue for the job service, and no cache.</summary>
internal static class EvictionCheckup
{
    private const string Name = "redis eviction";

    /// <summary>Reads the policy where the user may.</summary>
    public static async Task<CheckupLine> RunAsync(IDatabase redis, CancellationToken cancellationToken)
    {
        try
        {
            var policy = await ReadAsync(redis, "maxmemory-policy", cancellationToken);
            var bound = await ReadAsync(redis, "maxmemory", cancellationToken);
            return policy is "noeviction" ? CheckupLine.Ok(Name, "maxmemory-policy is noeviction.")
                : bound is "0" ? CheckupLine.Ok(Name, $"maxmemory-policy is {policy}, and there is no maxmemory.")
                : CheckupLine.Warning(Name, $"maxmemory-policy is {policy}: when its memory is full, Redis throws jobs away and their scans are lost.", "Set maxmemory-policy to noeviction.");
        }
        catch (RedisServerException)
        {
            return CheckupLine.Skipped(Name, "The user may not read maxmemory-policy (CONFIG GET); it should be noeviction, else jobs are lost when memory is full.");
        }
    }

    private static async Task<string?> ReadAsync(IDatabase redis, string name, CancellationToken cancellationToken) =>
        ((string?[]?)await redis.ExecuteAsync("CONFIG", "GET", name).WaitAsync(cancellationToken))?.ElementAtOrDefault(1);
}

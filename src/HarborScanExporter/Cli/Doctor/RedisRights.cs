using HarborScanExporter.Harbor;
using HarborScanExporter.JobService;
using HarborScanExporter.Settings;
using StackExchange.Redis;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>What the user may do in Redis. Reading is tried; writing is only asked about, and never tried.</summary>
internal sealed class RedisRights(IDatabase redis, JobServiceKeys keys)
{
    private const string Name = "redis rights";
    private const string TooMuch = "redis least privilege";

    /// <summary>Tries each command that reads evidence, on a key it is used on.</summary>
    public async Task<CheckupLine> ReadAsync(CancellationToken cancellationToken)
    {
        RedisKey queue = keys.Queue(JobType.Scan);
        (string Command, object[] Arguments)[] all =
        [
            ("EXISTS", [(RedisKey)keys.Paused(JobType.Scan)]), ("LLEN", [queue]), ("LRANGE", [queue, 0, 0]), ("SMEMBERS", [(RedisKey)keys.KnownJobs]),
            ("HMGET", [(RedisKey)keys.Running(JobType.Scan), "none"]), ("HKEYS", [(RedisKey)keys.Running(JobType.Scan)]),
            ("HSCAN", [(RedisKey)keys.Tracked, 0, "COUNT", 1]), ("TIME", []),
        ];
        List<string> commands = [];
        List<string> onKeys = [];
        foreach (var (command, arguments) in all)
        {
            try
            {
                await redis.ExecuteAsync(command, arguments).WaitAsync(cancellationToken);
            }
            catch (RedisServerException error) when (error.Message.StartsWith("NOPERM", StringComparison.Ordinal))
            {
                (error.Message.Contains("run the", StringComparison.Ordinal) ? commands : onKeys).Add(command);
            }
        }
        if (commands.Count == 0 && onKeys.Count == 0)
        {
            var may = $"The user may {string.Join(", ", all.Select(one => one.Command))}";
            return await MayAskSizesAsync(cancellationToken)
                ? CheckupLine.Ok(Name, $"{may}, MEMORY USAGE.")
                : CheckupLine.Warning(Name, $"{may}, but not MEMORY USAGE: a key that is far too large blinds the exporter instead of being left out.", "Give it this right with ACL SETUSER: +memory|usage");
        }
        string[] reasons =
        [
            .. commands.Count > 0 ? [$"The user may not {string.Join(", ", commands)}."] : Array.Empty<string>(),
            .. onKeys.Count > 0 ? [$"The user may not read the job service's keys (tried {string.Join(", ", onKeys)})."] : Array.Empty<string>(),
        ];
        var rights = $"{string.Join(' ', commands.Select(command => $"+{command.ToLowerInvariant()}"))}{(onKeys.Count > 0 ? $" ~{keys.KnownJobs.Split(':')[0]}:*" : "")}".Trim();
        return CheckupLine.Failed(Name, string.Join(' ', reasons), $"Give it these rights with ACL SETUSER: {rights}");
    }

    /// <summary>Whether the user may ask for the size of a key, which only keys that are too large make necessary.</summary>
    private async Task<bool> MayAskSizesAsync(CancellationToken cancellationToken)
    {
        try
        {
            await redis.ExecuteAsync("MEMORY", "USAGE", (RedisKey)keys.KnownJobs, "SAMPLES", 1).WaitAsync(cancellationToken);
            return true;
        }
        catch (RedisServerException)
        {
            return false;
        }
    }

    /// <summary>Asks Redis whether the user might write; a user that may not ask is the one that is wanted.</summary>
    public async Task<CheckupLine> WriteAsync(CancellationToken cancellationToken)
    {
        try
        {
            var user = (string)(await redis.ExecuteAsync("ACL", "WHOAMI").WaitAsync(cancellationToken))!;
            var answer = (string?)await redis.ExecuteAsync("ACL", "DRYRUN", user, "SET", keys.KnownJobs, "x").WaitAsync(cancellationToken);
            return answer == "OK"
                ? CheckupLine.Warning(TooMuch, $"The user {user} may write.", $"Make a user that only reads the job service's keys, and name it in {Setting.Names.RedisUrl}.")
                : CheckupLine.Ok(TooMuch, $"The user {user} may not write.");
        }
        catch (RedisServerException error)
        {
            return CheckupLine.Skipped(TooMuch, error.Message.StartsWith("NOPERM", StringComparison.Ordinal)
                ? "The user may not ask for its own rights, as it should be; whether it may write is not tried."
                : "This Redis cannot be asked what a user may do (ACL DRYRUN came with 7.0); whether it may write is not tried.");
        }
    }
}

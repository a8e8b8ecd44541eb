using System.Globalization;
using HarborScanExporter.Harbor;
using HarborScanExporter.Text;
using StackExchange.Redis;

namespace HarborScanExporter.JobService;

/// <summary>
/// The sizes of keys, asked before they are read once a look was sent too much. What is far larger than a job service makes it is left out where a gap proves
/// nothing, and is an error where everything rests on it.
/// </summary>
/// <param name="redis">Where they stand.</param>
/// <param name="areAsked">Whether sizes are asked for; else everything fits.</param>
/// <param name="address">Where that is, without credentials.</param>
internal sealed class KeySizes(IDatabase redis, bool areAsked, string address)
{
    /// <summary>The largest hash or set that is read; the record of a job takes some KB.</summary>
    public const long MaxHash = 256 * 1024;

    /// <summary>The largest list that is read; an entry takes some KB, and 1,000 are read at most.</summary>
    public const long MaxList = 8 * 1024 * 1024;

    private const string Mib = "0.#";

    /// <summary>Parts of a key that the server looks at: all of those that are read whole.</summary>
    private const int Samples = 1_000;

    /// <summary>Questions under way at once.</summary>
    private const int Pipeline = 1_000;

    private readonly Dictionary<string, (string One, string Many, long Bytes)> _leftOut = new(StringComparer.Ordinal);
    private long _lists = MaxList;

    /// <summary>Whether sizes are asked for.</summary>
    public bool AreAsked => areAsked;

    /// <summary>What was left out, in a sentence; null when nothing was.</summary>
    public string? LeftOut => _leftOut.Count == 0 ? null :
        $"At {address} {string.Join(", ", _leftOut.Values.GroupBy(key => key.One).Select(Told))} {(_leftOut.Count == 1 ? "is" : "are")} left out: no job service makes one so large. What is missing there proves "
        + "nothing. Find out with redis-cli --memkeys what writes there.";

    /// <summary>That there is more than a look reads, and the sizes do not tell where.</summary>
    public static RedisUnusableException TooMuch(string address) => new(
        EvidenceState.Refused,
        $"{address} sends more than the {Size(ReadLimit.MaxBytes)} that one look reads: a key of the job service is far larger than any job service makes it.",
        "Find out with redis-cli --memkeys what writes there. The user needs +memory|usage, as in deploy/redis/harbor-scan.acl, for what is too large to be left out.");

    /// <summary>Asks for keys on which everything rests.</summary>
    /// <exception cref="RedisUnusableException">One of them is too large.</exception>
    public async Task RequireAsync(IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        foreach (var (key, bytes) in keys.Zip(await BytesAsync(keys, cancellationToken)))
        {
            if (bytes <= MaxHash) continue;
            var shown = key[(key.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(':')[0];
            throw new RedisUnusableException(EvidenceState.Refused, $"A key {shown} at {address} has {Size(bytes)}, and no job service makes one so large.", "Find out with redis-cli --memkeys what writes there.");
        }
    }

    /// <summary>Whether a list may be read; when not, it is left out.</summary>
    /// <param name="key">The list.</param>
    /// <param name="name">What it is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="share">The part of it that is read.</param>
    public async Task<bool> FitsAsync(string key, string name, CancellationToken cancellationToken, double share = 1)
    {
        var bytes = (long)((await BytesAsync([key], cancellationToken))[0] * share);
        return Take(key, bytes, name, name);
    }

    /// <summary>Which of these may be read; the others are left out.</summary>
    public async Task<bool[]> FitAsync(IReadOnlyList<string> keys, string one, string many, long most, CancellationToken cancellationToken)
    {
        var sizes = await BytesAsync(keys, cancellationToken);
        return [.. keys.Zip(sizes, (key, bytes) => most == MaxList ? Take(key, bytes, one, many) : bytes <= most || LeaveOut(key, bytes, one, many))];
    }

    /// <summary>The lists together are bounded.</summary>
    private bool Take(string key, long bytes, string one, string many)
    {
        if (bytes > _lists) return LeaveOut(key, bytes, one, many);
        _lists -= bytes;
        return true;
    }

    private bool LeaveOut(string key, long bytes, string one, string many)
    {
        _leftOut[key] = (one, many, bytes);
        return false;
    }

    private async Task<long[]> BytesAsync(IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        if (!areAsked) return new long[keys.Count];
        List<long> sizes = new(keys.Count);
        foreach (var chunk in keys.Chunk(Pipeline))
        {
            try
            {
                var answers = await Task.WhenAll(chunk.Select(key => redis.ExecuteAsync("MEMORY", "USAGE", (RedisKey)key, "SAMPLES", Samples))).WaitAsync(cancellationToken);
                sizes.AddRange(answers.Select(answer => answer.IsNull ? 0 : (long)answer));
            }
            catch (RedisServerException)
            {
                // Not granted, or a server before 4.0: then nothing can be left out.
                throw TooMuch(address);
            }
        }
        return [.. sizes];
    }

    private static string Told(IGrouping<string, (string One, string Many, long Bytes)> keys)
    {
        var largest = Size(keys.Max(key => key.Bytes));
        return keys.Count() == 1 ? $"{keys.Key} ({largest})" : $"{Words.Number(keys.Count())} {keys.First().Many} (up to {largest})";
    }

    private static string Size(long bytes) => (bytes / 1024.0 / 1024).ToString(Mib, CultureInfo.InvariantCulture) + " MiB";
}

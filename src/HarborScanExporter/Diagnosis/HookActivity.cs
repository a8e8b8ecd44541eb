using System.Numerics;

namespace HarborScanExporter.Diagnosis;

/// <summary>
/// The newest time without a break in which core accepted status hooks, in seconds since 1970. A break may have swallowed a round of the
/// job service's reaper: core was down, Harbor read-only, or the job service itself away.
/// </summary>
/// <param name="From">Not later than this, hooks began to be accepted without a break.</param>
/// <param name="Until">Not earlier than this, one was last accepted.</param>
internal sealed record HookActivity(double From, double Until)
{
    /// <summary>The width of one bit of the mask.</summary>
    public const double BucketSeconds = 600;

    /// <summary>As many buckets as a 64-bit number holds without its sign: ten and a half hours.</summary>
    public const int Buckets = 63;

    /// <summary>
    /// Two hooks this many buckets apart are less than an hour apart wherever in their buckets they lie, so that of two hourly rounds
    /// between them at most one fell into a break.
    /// </summary>
    private const int UnbrokenBuckets = 4;

    /// <summary>Reads a mask.</summary>
    /// <param name="mask">Bit i is set when a hook was accepted between i and i + 1 buckets ago.</param>
    /// <param name="now">The database's clock, seconds since 1970.</param>
    /// <returns>Null when no bit is set.</returns>
    public static HookActivity? Of(long mask, double now)
    {
        if (mask <= 0) return null;
        var newest = BitOperations.TrailingZeroCount(mask);
        var oldest = newest;
        for (var bucket = newest + 1; bucket < Buckets && bucket - oldest <= UnbrokenBuckets; bucket++)
        {
            if ((mask >> bucket & 1) == 1) oldest = bucket;
        }
        // The later edge of the oldest bucket and the earlier edge of the newest: never longer than it was.
        return new HookActivity(now - oldest * BucketSeconds, now - (newest + 1) * BucketSeconds);
    }
}

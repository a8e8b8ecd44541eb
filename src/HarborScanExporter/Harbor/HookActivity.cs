using System.Numerics;

namespace HarborScanExporter.Harbor;

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

    /// <summary>
    /// Which bucket a time falls into. Buckets lie fixed on the clock, so that masks of different moments can be joined after a shift.
    /// </summary>
    /// <param name="seconds">Seconds since 1970.</param>
    public static long BucketOf(double seconds) => (long)Math.Floor(seconds / BucketSeconds);

    /// <summary>
    /// The bit of a row in the mask of now; 0 when it shows no hook that core accepted lately. A hook leaves a confirmed revision and a time in
    /// whole seconds; an API stop leaves microseconds, and a queue stop leaves Stopped with a code below 3 (harbor-facts 2.2, 4.5).
    /// </summary>
    /// <param name="task">Its row.</param>
    /// <param name="now">The database's clock, seconds since 1970.</param>
    public static long BitOf(ScanTask task, double now) =>
        task.StatusRevision > 0 && task.Updated is { } updated && updated == Math.Floor(updated) && updated < now + 300
        && !(task.Status == ScanStatus.Stopped && task.IsLowCode)
            ? Bit(Math.Max(0, BucketOf(now) - BucketOf(updated)))
            : 0;

    /// <summary>The mask of one moment as that of a later one.</summary>
    /// <param name="mask">A mask of <paramref name="then"/>.</param>
    /// <param name="then">Seconds since 1970.</param>
    /// <param name="now">The same; a clock that went back leaves the mask as it is.</param>
    public static long Shifted(long mask, double then, double now)
    {
        var buckets = Math.Max(0, BucketOf(now) - BucketOf(then));
        return buckets >= Buckets ? 0 : mask << (int)buckets & long.MaxValue;
    }

    /// <summary>Reads a mask.</summary>
    /// <param name="mask">Bit i is set when a hook was accepted in the bucket i before that of now.</param>
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
        return new HookActivity(Math.Min(now, (BucketOf(now) - oldest + 1) * BucketSeconds), (BucketOf(now) - newest) * BucketSeconds);
    }

    private static long Bit(long bucket) => bucket < Buckets ? 1L << (int)bucket : 0;
}

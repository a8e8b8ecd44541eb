namespace HarborScanExporter.Metrics;

/// <summary>A time that was observed, and how often.</summary>
internal readonly record struct Observed(double Seconds, long Count);

/// <summary>Times in seconds, counted as a histogram of Prometheus counts them: by bucket, and with their sum.</summary>
/// <param name="bounds">The upper bounds of the buckets, rising, in whole seconds, without that of infinity.</param>
internal sealed class Distribution(IReadOnlyList<double> bounds)
{
    // A sum that is rounded down by one digit looks to rate() like a process that began again. So times are kept as whole numbers of a
    // part of the second that is a power of two, about a millisecond: every sum of them is an exact double up to 2^53 parts, 280,000 years.
    private const double PartsOfASecond = 1024;

    private readonly long[] _counts = new long[bounds.Count + 1];
    private readonly long[] _parts = new long[bounds.Count + 1];

    /// <summary>At most two for each bucket: times which, observed anew, give the same buckets, count and sum.</summary>
    public IReadOnlyList<Observed> Observations
    {
        get
        {
            var observations = new List<Observed>();
            foreach (var (count, parts) in _counts.Zip(_parts).Where(bucket => bucket.First > 0))
            {
                // The mean, as two whole numbers around it: both lie within the bucket, and what they add up to is exact.
                var (mean, rest) = Math.DivRem(parts, count);
                observations.Add(new Observed(mean / PartsOfASecond, count - rest));
                if (rest > 0) observations.Add(new Observed((mean + 1) / PartsOfASecond, rest));
            }
            return observations;
        }
    }

    /// <param name="seconds">Not below 0.</param>
    public void Observe(double seconds)
    {
        var bucket = bounds.TakeWhile(bound => seconds > bound).Count();
        // Rounding must not carry a time over a bound of its bucket.
        var least = bucket == 0 ? 0 : bounds[bucket - 1] * PartsOfASecond + 1;
        var most = bucket == bounds.Count ? double.MaxValue : bounds[bucket] * PartsOfASecond;
        _counts[bucket]++;
        _parts[bucket] += (long)Math.Clamp(Math.Round(seconds * PartsOfASecond), least, most);
    }
}

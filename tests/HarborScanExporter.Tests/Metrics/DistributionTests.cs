using CsCheck;
using HarborScanExporter.Metrics;

namespace HarborScanExporter.Tests.Metrics;

/// <summary>Times in buckets, against the times themselves.</summary>
public sealed class DistributionTests
{
    private static readonly double[] s_bounds = [5, 15, 60];

    /// <summary>Times of scans: any, those beside a bound, and those that repeat.</summary>
    private static readonly Gen<double> s_times = Gen.OneOf(
        Gen.Double[0, 100], Gen.Int[0, 100].Select(seconds => (double)seconds), Gen.OneOf<double>(0, 1e-6, 5, 5.000001, 14.999999, 15, 59.9999, 60, 60.0001, 1e5));

    [Fact]
    public void Nothing_observed_is_no_observation() => Assert.Empty(new Distribution(s_bounds).Observations);

    [Fact]
    public void The_observations_of_a_bucket_are_the_two_whole_parts_around_its_mean()
    {
        var distribution = new Distribution(s_bounds);
        foreach (var seconds in (double[])[1, 2, 4, 5, 60, 61]) distribution.Observe(seconds);
        Assert.Equal([new Observed(3, 4), new Observed(60, 1), new Observed(61, 1)], distribution.Observations);

        distribution.Observe(2 + 1.0 / 1024);
        // 14 + 1/1024 over five: 14337 parts, of which a mean has 2867 and two are left over.
        Assert.Equal([new Observed(2867.0 / 1024, 3), new Observed(2868.0 / 1024, 2)], distribution.Observations.Take(2));
    }

    [Theory]
    [InlineData(5.0000001, 5 + 1.0 / 1024)]
    [InlineData(5, 5)]
    [InlineData(14.9999999, 15)]
    [InlineData(15.0000001, 15 + 1.0 / 1024)]
    [InlineData(60.0000001, 60 + 1.0 / 1024)]
    [InlineData(0.0000001, 0)]
    public void A_time_beside_a_bound_stays_in_its_bucket(double seconds, double kept)
    {
        var distribution = new Distribution(s_bounds);
        distribution.Observe(seconds);
        Assert.Equal([new Observed(kept, 1)], distribution.Observations);
    }

    [Fact]
    public void What_is_observed_anew_has_the_same_buckets_and_count_and_nearly_the_same_sum() => s_times.Array[0, 200].Sample(times =>
    {
        var distribution = new Distribution(s_bounds);
        foreach (var seconds in times) distribution.Observe(seconds);
        var anew = distribution.Observations;
        foreach (var bound in s_bounds) Assert.Equal(times.Count(seconds => seconds <= bound), anew.Where(one => one.Seconds <= bound).Sum(one => one.Count));
        Assert.Equal(times.Length, anew.Sum(one => one.Count));
        Assert.Equal(times.Sum(), Sum(distribution), times.Length / 1024.0 + 1e-6);
    });

    /// <summary>A sum that falls, if only in its last digit, is a restart to Prometheus.</summary>
    [Fact]
    public void The_sum_never_falls() => s_times.Array[1, 200].Sample(times =>
    {
        var distribution = new Distribution(s_bounds);
        var sum = 0.0;
        foreach (var seconds in times)
        {
            distribution.Observe(seconds);
            var next = Sum(distribution);
            Assert.True(next >= sum, $"{sum:R} became {next:R}.");
            sum = next;
        }
    });

    /// <summary>As the library adds it up.</summary>
    private static double Sum(Distribution distribution) => distribution.Observations.Aggregate(0.0, (sum, one) => sum + one.Seconds * one.Count);
}

using CsCheck;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Tests.Settings;

public sealed class PrometheusDurationTests
{
    [Theory]
    [InlineData("90s", 90)]
    [InlineData("2h10m", 7800)]
    [InlineData("7d", 604800)]
    [InlineData("1w1d", 691200)]
    [InlineData("1y", 31536000)]
    [InlineData("500ms", 0.5)]
    [InlineData("1m30s250ms", 90.25)]
    [InlineData("0", 0)]
    public void Durations_of_Prometheus_are_read(string text, double seconds)
    {
        Assert.True(PrometheusDuration.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("10")]
    [InlineData("-1s")]
    [InlineData("1.5h")]
    [InlineData("10m2h")]
    [InlineData("1h1h")]
    [InlineData("1 h")]
    [InlineData("2hours")]
    [InlineData("999999999999y")]
    [InlineData("1s\n")]
    public void Anything_else_is_refused(string text) => Assert.False(PrometheusDuration.TryParse(text, out _));

    [Fact]
    public void What_is_written_reads_back_as_the_same() =>
        Gen.Long[0, 100L * 365 * 24 * 3600 * 1000].Sample(milliseconds =>
        {
            var duration = TimeSpan.FromMilliseconds(milliseconds);
            return PrometheusDuration.TryParse(PrometheusDuration.Format(duration), out var read) && read == duration;
        }, iter: 10_000);
}

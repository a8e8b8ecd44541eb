using HarborScanExporter.Text;

namespace HarborScanExporter.Tests.Text;

/// <summary>Numbers and times as people read them.</summary>
public sealed class WordsTests
{
    [Theory]
    [InlineData(-5, "0 s")]
    [InlineData(59.9, "59 s")]
    [InlineData(60, "1 min")]
    [InlineData(3599, "59 min")]
    [InlineData(3600, "1 h")]
    [InlineData(3660, "1 h 1 min")]
    [InlineData(86_399, "23 h 59 min")]
    [InlineData(86_400, "1 d")]
    [InlineData(90_000, "1 d 1 h")]
    [InlineData(1e300, "11574 d 1 h")]
    public void A_duration_has_two_units_at_most(double seconds, string words) => Assert.Equal(words, Words.Duration(seconds));

    [Theory]
    [InlineData(1_789_992_059.9, "2026-09-21 12:00 UTC")]
    [InlineData(-1, "1970-01-01 00:00 UTC")]
    [InlineData(1e300, "9999-12-31 23:59 UTC")]
    public void A_time_is_in_UTC_to_the_minute(double epoch, string words) => Assert.Equal(words, Words.Time(epoch));

    [Fact]
    public void Numbers_have_their_thousands_apart_and_their_nouns_in_the_right_number()
    {
        Assert.Equal("36,000", Words.Number(36_000));
        Assert.Equal("0 scans", Words.Count(0, "scan"));
        Assert.Equal("1 scan", Words.Count(1, "scan"));
        Assert.Equal("1,200 worker pools are", Words.Count(1_200, "worker pool is", "worker pools are"));
    }
}

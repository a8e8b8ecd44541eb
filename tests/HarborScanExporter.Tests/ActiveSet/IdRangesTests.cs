using HarborScanExporter.Database;

namespace HarborScanExporter.Tests.ActiveSet;

/// <summary>Ids that lie close are one range, and each is in exactly one.</summary>
public sealed class IdRangesTests
{
    [Fact]
    public void Without_ids_there_is_none() => AssertRanges([], [], IdRanges.Of([], 16));

    [Fact]
    public void In_any_order_those_within_the_gap_are_read_together() => AssertRanges([1, 40], [20, 40], IdRanges.Of([20, 40, 4, 1, 4], 16));

    [Fact]
    public void One_beyond_the_gap_begins_another() => AssertRanges([1, 18], [1, 18], IdRanges.Of([18, 1], 16));

    [Fact]
    public void Everything_above_an_id_is_a_range_of_its_own() => AssertRanges([5, 8], [5, long.MaxValue], IdRanges.Of([5], 16).WithAbove(7));

    private static void AssertRanges(long[] lows, long[] highs, IdRanges ranges)
    {
        Assert.Equal(lows, ranges.Lows);
        Assert.Equal(highs, ranges.Highs);
    }
}

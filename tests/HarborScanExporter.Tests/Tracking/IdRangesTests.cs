using HarborScanExporter.Database.Queries;

namespace HarborScanExporter.Tests.Tracking;

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

    [Fact]
    public void What_is_read_by_address_is_taken_out_of_the_single_ids_alone()
    {
        var ranges = IdRanges.Of([1, 5, 100, 200], 16);
        Assert.Equal([100L, 200L], ranges.Singles);
        AssertRanges([1, 200], [5, 200], ranges.Without([1, 5, 100]));
        AssertRanges([1, 100, 200], [5, 100, 200], ranges.Without([]));
    }

    private static void AssertRanges(long[] lows, long[] highs, IdRanges ranges)
    {
        Assert.Equal(lows, ranges.Lows);
        Assert.Equal(highs, ranges.Highs);
    }
}

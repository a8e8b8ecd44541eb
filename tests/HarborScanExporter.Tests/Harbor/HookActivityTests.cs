using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tests.Harbor;

public sealed class HookActivityTests
{
    private const double Now = 1_789_992_000;

    [Fact]
    public void Without_a_hook_there_is_none() => Assert.Null(HookActivity.Of(0, Now));

    [Theory]
    [InlineData(0b1L, 0, 0)]
    [InlineData(0b1000L, 2, 3)]
    [InlineData(0b1111L, 2, 0)]
    [InlineData(0b1_0001L, 3, 0)]
    [InlineData(0b10_0001L, 0, 0)]
    [InlineData(0b1_0001_0001L, 7, 0)]
    [InlineData(0b11_0000_0100L, 1, 2)]
    [InlineData(long.MaxValue, 61, 0)]
    public void The_newest_time_without_a_break_is_never_longer_than_it_was(long mask, int later, int earlier) =>
        Assert.Equal(new HookActivity(Now - later * 600, Now - earlier * 600), HookActivity.Of(mask, Now));

    [Fact]
    public void Buckets_lie_fixed_on_the_clock() =>
        Assert.Equal(new HookActivity(Now - 1200, Now), HookActivity.Of(0b1111L, Now + 599));

    [Theory]
    [InlineData(0b101L, 0, 599, 0b101L)]
    [InlineData(0b101L, 599, 600, 0b1010L)]
    [InlineData(0b101L, 0, 62 * 600, 1L << 62)]
    [InlineData(0b101L, 0, 63 * 600, 0L)]
    [InlineData(0b101L, 600, 0, 0b101L)]
    public void A_mask_of_one_moment_is_that_of_a_later_one_after_a_shift(long mask, double then, double now, long shifted) =>
        Assert.Equal(shifted, HookActivity.Shifted(mask, Now + then, Now + now));

    [Theory]
    [InlineData("Running", 2, 1, 0, 0b1L)]
    [InlineData("Success", 3, 1, -601, 0b100L)]
    [InlineData("Success", 3, 1, 200, 0b1L)]
    [InlineData("Success", 3, 1, 301, 0L)]
    [InlineData("Pending", 0, 0, 0, 0L)]
    [InlineData("Stopped", 0, 1, 0, 0L)]
    [InlineData("Stopped", 3, 1, 0, 0b1L)]
    [InlineData("Success", 3, 1, -0.5, 0L)]
    [InlineData("Success", 3, 1, -63 * 600, 0L)]
    public void A_row_shows_a_hook_by_its_revision_and_whole_seconds(string status, int code, long revision, double updated, long bit) =>
        Assert.Equal(bit, HookActivity.BitOf(
            new ScanTask { Id = 1, ExecutionId = 1, Type = "IMAGE_SCAN", Status = status, StatusCode = code, StatusRevision = revision, RunCount = 1, Updated = Now + updated }, Now));
}

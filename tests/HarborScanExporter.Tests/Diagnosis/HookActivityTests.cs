using HarborScanExporter.Diagnosis;

namespace HarborScanExporter.Tests.Diagnosis;

public sealed class HookActivityTests
{
    private const double Now = 1_789_992_000;

    [Fact]
    public void Without_a_hook_there_is_none() => Assert.Null(HookActivity.Of(0, Now));

    [Theory]
    [InlineData(0b1L, 0, 1)]
    [InlineData(0b1000L, 3, 4)]
    [InlineData(0b1111L, 3, 1)]
    [InlineData(0b1_0001L, 4, 1)]
    [InlineData(0b10_0001L, 0, 1)]
    [InlineData(0b1_0001_0001L, 8, 1)]
    [InlineData(0b11_0000_0100L, 2, 3)]
    [InlineData(long.MaxValue, 62, 1)]
    public void The_newest_time_without_a_break_is_never_longer_than_it_was(long mask, int oldest, int newestEdge) =>
        Assert.Equal(new HookActivity(Now - oldest * 600, Now - newestEdge * 600), HookActivity.Of(mask, Now));
}

using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tests.Harbor;

public sealed class ScanAllSummaryTests
{
    [Fact]
    public void The_counts_of_a_finished_enumeration_are_read() =>
        Assert.Equal(
            new ScanAllSummary(6, 1, 2, 3, 4, 5),
            ScanAllSummary.Parse("""{"operator":"admin","summary":{"conflict_count":2,"precondition_count":3,"submit_count":1,"total_count":6,"unknow_count":5,"unsupport_count":4}}"""));

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("""{"operator":"harbor-jobservice"}""")]
    [InlineData("""{"summary":"done"}""")]
    [InlineData("[1]")]
    [InlineData("{broken")]
    public void Without_a_summary_the_enumeration_is_not_over(string? text) => Assert.Null(ScanAllSummary.Parse(text));
}

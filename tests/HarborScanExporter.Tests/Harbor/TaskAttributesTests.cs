using CsCheck;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tests.Harbor;

public sealed class TaskAttributesTests
{
    [Fact]
    public void The_shape_of_every_release_is_read()
    {
        var old = TaskAttributes.Parse("""{"artifact_id":7,"report:0a1b":"1","report_uuids":["0a1b","2c3d"],"robot_id":9}""");
        Assert.Equal((7L, 9L), (old.ArtifactId, old.RobotId));
        Assert.Equal(["0a1b", "2c3d"], old.ReportUuids);
        var now = TaskAttributes.Parse("""{"artifact_id":244533,"artifact_tag":"ab7c0","report_uuids":["u1"],"robot_id":8812}""");
        Assert.Equal((244533L, 8812L), (now.ArtifactId, now.RobotId));
        Assert.Equal(["u1"], now.ReportUuids);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{\"artifact_id\":\"7\",\"robot_id\":1.5,\"report_uuids\":\"u1\"}")]
    [InlineData("{\"report_uuids\":{\"0\":\"u1\"}}")]
    [InlineData("{\"artifact_id\":99999999999999999999}")]
    [InlineData("{broken")]
    public void What_Harbor_does_not_write_counts_as_missing(string? text)
    {
        var attributes = TaskAttributes.Parse(text);
        Assert.Null(attributes.ArtifactId);
        Assert.Null(attributes.RobotId);
        Assert.Empty(attributes.ReportUuids);
    }

    [Theory]
    [InlineData("""{"report_uuids":["\u0000"]}""")]
    [InlineData("""{"report_uuids":[7]}""")]
    [InlineData("""{"report_uuids":["0123456789012345678901234567890123456789012345678901234567890123456789"]}""")]
    [InlineData("""{"report_uuids":["ünicode"]}""")]
    public void What_can_be_no_uuid_is_a_report_that_nobody_has(string text) => Assert.Equal([""], TaskAttributes.Parse(text).ReportUuids);

    [Fact]
    public void Half_a_surrogate_pair_stops_nothing() => Assert.Empty(TaskAttributes.Parse("""{"report_uuids":["\ud800"]}""").ReportUuids);

    [Fact]
    public void No_text_at_all_throws() => Gen.String.Sample(text => TaskAttributes.Parse(text).ReportUuids.Count >= 0, iter: 20_000);
}

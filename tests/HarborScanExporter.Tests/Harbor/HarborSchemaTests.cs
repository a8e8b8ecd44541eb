using HarborScanExporter.Harbor;
using HarborSimulator.Schema;
using HarborSchema = HarborScanExporter.Harbor.HarborSchema;

namespace HarborScanExporter.Tests.Harbor;

public sealed class HarborSchemaTests
{
    [Theory]
    [InlineData(50, "2.2.0")]
    [InlineData(111, "2.8.1-2.8.6")]
    [InlineData(140, "2.11.0-2.11.2")]
    [InlineData(190, "2.16.0")]
    [InlineData(200, "newer than 2.16.0")]
    [InlineData(145, "newer than 2.11.2")]
    [InlineData(49, "unknown")]
    public void The_schema_number_names_the_releases(long version, string releases) => Assert.Equal(releases, HarborSchema.Releases(version));

    [Fact]
    public void Every_release_is_found_by_its_schema_number() =>
        Assert.All(HarborRelease.Every, release =>
        {
            var bounds = HarborSchema.Releases(release.SchemaVersion).Split('-');
            Assert.True(release.IsWithin(bounds[0], bounds[^1]), $"{release.Name} is not within {HarborSchema.Releases(release.SchemaVersion)}");
        });

    [Theory]
    [InlineData(100, ScanType.ScanAll, 5)]
    [InlineData(100, ScanType.ImageScan, null)]
    [InlineData(111, ScanType.ScanAll, 5)]
    [InlineData(111, ScanType.ImageScan, null)]
    [InlineData(120, ScanType.ScanAll, 1)]
    [InlineData(120, ScanType.ImageScan, 1)]
    [InlineData(140, ScanType.Sbom, 1)]
    [InlineData(190, ScanType.Sbom, 1)]
    public void Harbor_keeps_so_many_executions_of_one_vendor(long version, string type, int? retained) =>
        Assert.Equal(retained, HarborSchema.Retained(version, type));

    [Theory]
    [InlineData(100, true, false)]
    [InlineData(110, false, true)]
    [InlineData(130, false, true)]
    [InlineData(140, false, false)]
    [InlineData(140, true, true)]
    [InlineData(150, true, false)]
    public void The_sweep_can_hit_the_foreign_key_from_2_8_0_to_2_11_0(long version, bool newestSweepFailed, bool blocked) =>
        Assert.Equal(blocked, HarborSchema.SweepCanBeBlocked(version, newestSweepFailed));
}

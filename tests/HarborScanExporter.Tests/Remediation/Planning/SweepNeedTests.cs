using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Planning;
using HarborSimulator.Schema;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>Which Harbors are swept, release by release (harbor-facts 4.7).</summary>
public sealed class SweepNeedTests
{
    [Fact]
    public void Every_release_is_swept_where_its_own_sweep_does_not_or_fails()
    {
        Assert.All(HarborRelease.Every, release =>
        {
            var before28 = release.Version < new Version(2, 8);
            var fails = release.IsWithin("2.8.0", "2.11.0");
            Assert.Equal(before28 || fails, IsSwept(release, ScanType.ImageScan));
            Assert.Equal(fails, IsSwept(release, ScanType.ScanAll));
            Assert.Equal(before28 || fails, IsSwept(release, ScanType.Sbom));
        });
    }

    [Theory]
    [InlineData("v2.11.0-70c03a0f", false, true)]
    [InlineData("v2.11.0", true, true)]
    [InlineData("v2.11.1-70c03a0f", true, false)]
    [InlineData("v2.11.2", false, false)]
    [InlineData(null, true, true)]
    [InlineData(null, false, false)]
    [InlineData("harbor-next", true, true)]
    [InlineData("harbor-next", false, false)]
    public void Schema_140_is_told_apart_by_the_release_and_else_by_the_newest_sweep(string? release, bool hasFailed, bool isSwept) =>
        Assert.Equal(isSwept, SweepNeed.Refusal(ScanType.ImageScan, 140, release, hasFailed) is null);

    [Fact]
    public void A_refusal_says_who_sweeps_instead()
    {
        Assert.Equal("Harbor 2.12 and later remove old executions by themselves, every day at midnight UTC.", SweepNeed.Refusal(ScanType.ImageScan, 150, null, true));
        Assert.Equal("Harbor before 2.8 removes old scan-alls by itself whenever a new one starts.", SweepNeed.Refusal(ScanType.ScanAll, 91, null, false));
        Assert.Equal("Harbor 2.11.2 removes old executions by itself, every hour.", SweepNeed.Refusal(ScanType.Sbom, 140, "v2.11.2-abc", false));
        Assert.Contains("Set HARBOR_API_USERNAME", SweepNeed.Refusal(ScanType.Sbom, 140, null, false), StringComparison.Ordinal);
    }

    [Fact]
    public void It_may_be_where_one_type_at_least_is_not_refused() =>
        Assert.All(HarborRelease.Every, release => Assert.Equal(
            ScanType.All.Any(type => SweepNeed.Refusal(type, release.SchemaVersion, null, newestSweepFailed: true) is null), SweepNeed.MayBe(release.SchemaVersion)));

    private static bool IsSwept(HarborRelease release, string type) => SweepNeed.Refusal(type, release.SchemaVersion, $"v{release}-70c03a0f", false) is null;
}

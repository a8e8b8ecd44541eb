using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tests.Harbor;

/// <summary>When a report says that it was made.</summary>
public sealed class ReportTimeTests
{
    private const double Noon = 1_789_992_000;

    [Theory]
    [InlineData("""{"generated_at":"2026-09-21T12:00:00Z","severity":"High"}""")]
    [InlineData("""{"generated_at":"2026-09-21T14:00:00+02:00","scanner":{"name":"Trivy"}}""")]
    [InlineData("""{"artifact":{"digest":"sha256:a","end_time":"2020-01-01T00:00:00Z"},"scanner":[1,[2]],"generated_at":"2026-09-21T12:00:00.000000000Z"}""")]
    // The text that was read ends within the report.
    [InlineData("""{"generated_at":"2026-09-21T12:00:00Z","vulnerabilities":[{"id":"CVE-20""")]
    public void A_vulnerability_report_says_generated_at(string beginning) => Assert.Equal(Noon, ReportTime.Of(beginning));

    [Fact]
    public void An_SBOM_says_end_time() => Assert.Equal(Noon + 0.5, ReportTime.Of(
        """{"duration":"1s","end_time":"2026-09-21T12:00:00.5Z","sbom_digest":"sha256:b","sbom_repository":"library/app","scan_status":"Success","start_time":"2026-09-21T11:59:58Z"}"""));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""["generated_at","2026-09-21T12:00:00Z"]""")]
    [InlineData("""{"severity":"High"}""")]
    [InlineData("""{"generated_at":null}""")]
    [InlineData("""{"generated_at":1789992000}""")]
    [InlineData("""{"generated_at":"yesterday"}""")]
    [InlineData("""{"generated_at":"0001-01-01T00:00:00Z"}""")]
    [InlineData("""{"generated_at":"\ud800"}""")]
    [InlineData("""{"vulnerabilities":[{"generated_at":"2026-09-21T12:00:00Z"}""")]
    [InlineData("""{"generated_at":"2026-09-21T12:0""")]
    [InlineData("""{"severity":"High",,}""")]
    public void Whatever_is_no_time_of_the_report_is_none(string? beginning) => Assert.Null(ReportTime.Of(beginning));
}

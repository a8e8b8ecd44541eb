using HarborScanExporter.Harbor;


namespace HarborScanExporter.Tests.Harbor;

/// <summary>What Harbor's API takes for a job: other strings are other routes.</summary>
public sealed class JobIdFormTests
{
    [Theory]
    [InlineData("d318c1b17dff242a33f02544", true)]
    [InlineData("0123456789abcdef01234567", true)]
    [InlineData("D318C1B17DFF242A33F02544", false)]
    [InlineData("g318c1b17dff242a33f02544", false)]
    [InlineData("d318c1b17dff242a33f0254/", false)]
    [InlineData("d318c1b17dff242a33f0254", false)]
    [InlineData("d318c1b17dff242a33f025440", false)]
    [InlineData("d318c1b17dff242a33f02544@1", false)]
    [InlineData("", false)]
    public void It_is_of_24_small_hex_digits(string text, bool isJob) => Assert.Equal(isJob, JobIdForm.Is(text));
}

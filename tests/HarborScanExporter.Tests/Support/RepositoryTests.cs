namespace HarborScanExporter.Tests.Support;

public sealed class RepositoryTests
{
    [Fact]
    public void The_root_holds_the_solution() =>
        Assert.Contains("HarborScanExporter.Tests", Repository.Read("HarborScanExporter.sln"), StringComparison.Ordinal);
}

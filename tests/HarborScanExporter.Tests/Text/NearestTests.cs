using HarborScanExporter.Text;

namespace HarborScanExporter.Tests.Text;

public sealed class NearestTests
{
    [Theory]
    [InlineData("limit", "limit")]
    [InlineData("limmit", "limit")]
    [InlineData("timit", "limit")]
    [InlineData("mode", "mode")]
    [InlineData("node", "mode")]
    [InlineData("abcdefgh", null)]
    public void The_name_that_differs_least_is_meant(string name, string? meant) => Assert.Equal(meant, Nearest.Of(name, ["limit", "mode", "override_share"]));

    /// <summary>Each letter costs the same, the first and the last too: four changes are the most.</summary>
    [Theory]
    [InlineData("xxxxef", "abcdef")]
    [InlineData("abxxxx", "abcdef")]
    [InlineData("xbxdxf", "abcdef")]
    [InlineData("cdef", "abcdef")]
    [InlineData("xxxxxf", null)]
    [InlineData("xxcxxx", null)]
    [InlineData("f", null)]
    public void Four_changes_of_a_letter_are_the_most(string name, string? meant) => Assert.Equal(meant, Nearest.Of(name, ["abcdef"]));
}

using System.CommandLine;
using System.Text.Json;
using HarborScanExporter.Cli;
using HarborScanExporter.Cli.Check;
using HarborScanExporter.Findings;
using HarborScanExporter.Http;
using HarborScanExporter.Tests.Cli;
using Microsoft.AspNetCore.Http;

namespace HarborScanExporter.Tests.Findings;

/// <summary>One filter with one meaning, whoever asks.</summary>
public sealed class FindingsFilterTests
{
    [Theory]
    [InlineData("lost", "lost")]
    [InlineData("lost,hung", "lost hung")]
    [InlineData(" lost , ,hung,lost", "lost hung")]
    [InlineData("", "")]
    public void Commands_queries_and_bodies_read_the_same_words(string given, string words)
    {
        var query = new QueryCollection(new Dictionary<string, Microsoft.Extensions.Primitives.StringValues> { ["verdict"] = given });
        using var body = JsonDocument.Parse($$$"""{"mode":"dry-run","filter":{"verdict":"{{{given}}}"}}""");
        FindingsFilter[] read =
        [
            FindingsFilter.Of([given], null, null),
            FindingsQuery.Read(query, FindingsQuery.Parameters, out _)!.Filter,
            PlanQuery.Read(query, out _)!.Filter,
            RepairRequest.Read(body.RootElement, out _)!.Filter,
        ];
        Assert.All(read, filter => Assert.Equal((words, words.Length == 0), (string.Join(' ', filter.Verdicts), filter.IsAll)));
    }

    [Fact]
    public void Several_are_given_by_repeating_too()
    {
        var query = new QueryCollection(new Dictionary<string, Microsoft.Extensions.Primitives.StringValues> { ["type"] = new(["SBOM,SCAN_ALL", "IMAGE_SCAN"]) });
        Assert.Equal(["SBOM", "SCAN_ALL", "IMAGE_SCAN"], PlanQuery.Read(query, out _)!.Filter.Types);
        Assert.Equal(["SBOM", "SCAN_ALL", "IMAGE_SCAN"], FindingsFilter.Of(null, ["SBOM,SCAN_ALL", "IMAGE_SCAN"], null).Types);
    }

    [Theory]
    [InlineData("check", "--verdict", "lost,dead")]
    [InlineData("check", "--verdict", "lost", "--verdict", "dead")]
    [InlineData("repair", "--verdict", "hung,dead")]
    public async Task A_command_takes_several_words_and_names_the_one_that_there_is_not(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        string[] connection = ["--database-host", "127.0.0.1", "--database-port", "1", "--database-username", "scraper"];
        var exit = await CommandLine.RunAsync([.. arguments, .. connection], (_, _, _) => Task.FromResult(0),
            new InvocationConfiguration { Output = output, Error = error }, TestContext.Current.CancellationToken);
        Assert.Equal((2, ""), (exit, output.ToString()));
        Assert.StartsWith("There is no verdict dead. Choose from lost, ", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_shows_what_fits_one_of_several_verdicts()
    {
        await using var harbor = await HarborScanExporter.Tests.Support.TestHarbor.CreateAsync();
        await new HarborScanExporter.Tests.Support.Seed(harbor).RobotAsync(TimeSpan.FromHours(48));
        foreach (var (words, exit) in new[] { ("lost,leaked_robots", CheckCommand.Found), ("lost,hung", CheckCommand.NothingFound) })
            Assert.Equal(exit, (await CommandRun.CheckAsync(harbor.Environment(), new CheckOptions { Filter = FindingsFilter.Of([words], null, null) })).Exit);
    }
}

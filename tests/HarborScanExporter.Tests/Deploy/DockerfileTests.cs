using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Deploy;

public sealed class DockerfileTests
{
    private static readonly string[] Product = Instructions("Dockerfile");

    public static TheoryData<string> Files() => ["Dockerfile", "deploy/compose/simulator.Dockerfile"];

    [Theory]
    [MemberData(nameof(Files))]
    public void The_final_image_is_chiseled_and_runs_as_the_numbered_user_of_its_base(string file)
    {
        var final = FinalStage(file);

        Assert.Equal("FROM ${FINAL_IMAGE}", final[0]);
        Assert.Matches("^ARG FINAL_IMAGE=mcr[.]microsoft[.]com/dotnet/[a-z-]+:10[.]0-noble-chiseled$",
            Assert.Single(Instructions(file), line => line.StartsWith("ARG FINAL_IMAGE", StringComparison.Ordinal)));
        Assert.Equal("USER $APP_UID", Assert.Single(final, line => line.StartsWith("USER", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Nothing_in_the_final_image_needs_a_shell(string file)
    {
        var final = FinalStage(file);

        Assert.StartsWith("ENTRYPOINT [\"", Assert.Single(final, line => line.StartsWith("ENTRYPOINT", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.StartsWith("CMD [\"", Assert.Single(final, line => line.StartsWith("CMD", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.DoesNotContain(final, line => line.StartsWith("RUN", StringComparison.Ordinal));
        Assert.DoesNotContain(final, line => line.StartsWith("HEALTHCHECK", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Whatever_is_copied_exists_and_is_in_the_build_context(string file)
    {
        var allowed = Repository.Read(".dockerignore").Split('\n')
            .Where(line => line.StartsWith('!')).Select(line => line[1..]).ToList();
        var sources = Instructions(file)
            .Where(line => line.StartsWith("COPY", StringComparison.Ordinal) && !line.Contains("--from", StringComparison.Ordinal))
            .SelectMany(line => line.Split(' ')[1..^1]).ToList();

        Assert.True(sources.Count >= 7, string.Join(' ', sources));
        Assert.All(sources, source =>
        {
            Assert.True(Path.Exists(Repository.PathOf(source)), $"{source} does not exist");
            Assert.Contains(allowed, entry => source == entry || source.StartsWith(entry + "/", StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Restore_is_a_layer_that_a_change_of_the_code_leaves_alone()
    {
        var restore = Array.FindIndex(Product, line => line.StartsWith("RUN dotnet restore", StringComparison.Ordinal));
        var code = Array.IndexOf(Product, "COPY src src");

        Assert.True(restore > 0 && code > restore, $"restore {restore}, code {code}");
        Assert.Contains("--no-restore", Assert.Single(Product, line => line.StartsWith("RUN dotnet publish", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void Version_and_revision_reach_the_program_and_the_labels()
    {
        var publish = Assert.Single(Product, line => line.StartsWith("RUN dotnet publish", StringComparison.Ordinal));
        var labels = Assert.Single(FinalStage("Dockerfile"), line => line.StartsWith("LABEL", StringComparison.Ordinal));

        Assert.Contains("-p:Version=${VERSION}", publish, StringComparison.Ordinal);
        Assert.Contains("-p:SourceRevisionId=${REVISION}", publish, StringComparison.Ordinal);
        Assert.Contains("org.opencontainers.image.version=\"${VERSION}\"", labels, StringComparison.Ordinal);
        Assert.Contains("org.opencontainers.image.revision=\"${REVISION}\"", labels, StringComparison.Ordinal);
        // Each stage forgets the arguments of the other.
        Assert.Equal(2, Product.Count(line => line.StartsWith("ARG VERSION=", StringComparison.Ordinal)));
        Assert.Equal(2, Product.Count(line => line.StartsWith("ARG REVISION=", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_platform_is_compiled_under_its_own() =>
        Assert.DoesNotContain(Product, line => line.Contains("--platform", StringComparison.Ordinal));

    [Fact]
    public void The_port_is_the_default_one() => Assert.Contains("EXPOSE 10988", FinalStage("Dockerfile"));

    /// <summary>The instructions, without comments, each on one line.</summary>
    private static string[] Instructions(string file) =>
        [.. Regex.Replace(Repository.Read(file), @"\\\n\s*", "").Split('\n')
            .Where(line => line.Length > 0 && !line.StartsWith('#'))];

    private static string[] FinalStage(string file)
    {
        var lines = Instructions(file);
        return lines[Array.FindLastIndex(lines, line => line.StartsWith("FROM", StringComparison.Ordinal))..];
    }
}

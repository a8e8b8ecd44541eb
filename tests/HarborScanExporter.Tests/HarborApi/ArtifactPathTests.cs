using HarborScanExporter.HarborApi;

namespace HarborScanExporter.Tests.HarborApi;

/// <summary>An artifact's place in Harbor's API.</summary>
public sealed class ArtifactPathTests
{
    [Theory]
    [InlineData("library/app", "projects/library/repositories/app/artifacts/sha256:0a")]
    [InlineData("library/team/app", "projects/library/repositories/team%252Fapp/artifacts/sha256:0a")]
    [InlineData("a.b_c-d/x/y/z__1", "projects/a.b_c-d/repositories/x%252Fy%252Fz__1/artifacts/sha256:0a")]
    [InlineData("p?x#y/r%2F..%2Fz", "projects/p%3Fx%23y/repositories/r%25252F..%25252Fz/artifacts/sha256:0a")]
    public void The_repository_is_encoded_twice(string repository, string expected)
    {
        Assert.Equal(expected, ArtifactPath.Of(repository, "sha256:0a"));
        Assert.Equal("/api/v2.0/" + expected, new Uri(new Uri("http://harbor/api/v2.0/"), expected).AbsolutePath);
    }

    [Theory]
    [InlineData("app", "sha256:0a")]
    [InlineData("", "sha256:0a")]
    [InlineData("/app", "sha256:0a")]
    [InlineData("library/", "sha256:0a")]
    [InlineData("library//app", "sha256:0a")]
    [InlineData("../app", "sha256:0a")]
    [InlineData("library/..", "sha256:0a")]
    [InlineData("library/./app", "sha256:0a")]
    [InlineData("library/app", "")]
    [InlineData("library/app", "latest")]
    [InlineData("library/app", ":0a")]
    [InlineData("library/app", "sha256:0a/../..")]
    [InlineData("library/app", "sha256:0a?x")]
    [InlineData("library/app", "sha256:0a\n")]
    public void Names_that_would_be_another_path_are_refused(string repository, string digest) => Assert.Throws<ArgumentException>(() => ArtifactPath.Of(repository, digest));
}

using System.Buffers;

namespace HarborScanExporter.HarborApi;

/// <summary>An artifact's place in Harbor's API: projects/{p}/repositories/{r}/artifacts/{digest} (harbor-facts 9).</summary>
internal static class ArtifactPath
{
    private static readonly SearchValues<char> DigestCharacters = SearchValues.Create("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+._-:=");

    /// <summary>The path below /api/v2.0/.</summary>
    /// <param name="repository">artifact.repository_name: the project, a slash, the repository, which may have slashes of its own.</param>
    /// <param name="digest">artifact.digest: algorithm, colon, digest.</param>
    /// <exception cref="ArgumentException">Such names would be another path.</exception>
    public static string Of(string repository, string digest)
    {
        ArgumentNullException.ThrowIfNull(repository);
        ArgumentNullException.ThrowIfNull(digest);
        // A URI drops . and .. with what stands before them, encoded or not.
        if (!repository.Contains('/', StringComparison.Ordinal) || repository.Split('/').Any(part => part is "" or "." or ".."))
            throw new ArgumentException("A repository's name is its project, a slash, and names with slashes between them.", nameof(repository));
        if (digest.IndexOf(':', StringComparison.Ordinal) < 1 || digest.AsSpan().ContainsAnyExcept(DigestCharacters)) throw new ArgumentException("A digest is an algorithm, a colon and digits.", nameof(digest));
        var slash = repository.IndexOf('/', StringComparison.Ordinal);
        // Harbor's router decodes the path once before it looks for slashes, and the name once more.
        return $"projects/{Uri.EscapeDataString(repository[..slash])}/repositories/{Uri.EscapeDataString(Uri.EscapeDataString(repository[(slash + 1)..]))}/artifacts/{digest}";
    }
}

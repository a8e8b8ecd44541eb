using System.Globalization;

namespace HarborSimulator.Schema;

/// <summary>A Harbor release and the number its database migrations end on (<c>schema_migrations.version</c>).</summary>
/// <param name="Name">The release without a leading v, such as 2.11.0.</param>
/// <param name="SchemaVersion">The migration number. It does not reveal the patch level: 140 is 2.11.0 and 2.11.2 alike.</param>
public sealed record HarborRelease(string Name, int SchemaVersion)
{
    /// <summary>Schema version, minor release, first and last patch that end on it. 2.15.3 and 2.16.0 are Harbor's branches of August 2026.</summary>
    private static readonly (int Schema, int Minor, int First, int Last)[] Tags =
    [
        (50, 2, 0, 0), (51, 2, 1, 1), (52, 2, 2, 2), (53, 2, 3, 4),
        (60, 3, 0, 3), (61, 3, 4, 5),
        (70, 4, 0, 1), (71, 4, 2, 3),
        (80, 5, 0, 1), (81, 5, 2, 2), (82, 5, 3, 6),
        (90, 6, 0, 1), (91, 6, 2, 4),
        (100, 7, 0, 4),
        (110, 8, 0, 0), (111, 8, 1, 6),
        (120, 9, 0, 5),
        (130, 10, 0, 3),
        (140, 11, 0, 2),
        (150, 12, 0, 4),
        (160, 13, 0, 5),
        (170, 14, 0, 0), (171, 14, 1, 4),
        (180, 15, 0, 2), (181, 15, 3, 3),
        (190, 16, 0, 0),
    ];

    /// <summary>One release for every schema version from 50 (2.2.0, the first that keeps scans in execution and task) to 190: the first that ends on it.</summary>
    public static IReadOnlyList<HarborRelease> Supported { get; } =
        [.. Tags.Select(tag => new HarborRelease($"2.{tag.Minor}.{tag.First}", tag.Schema))];

    /// <summary>Every released patch level from 2.2.0 on.</summary>
    public static IReadOnlyList<HarborRelease> Every { get; } =
        [.. Tags.SelectMany(tag => Enumerable.Range(tag.First, tag.Last - tag.First + 1), (tag, patch) => new HarborRelease($"2.{tag.Minor}.{patch}", tag.Schema))];

    /// <summary>The release as numbers that compare.</summary>
    public Version Version { get; } = Version.Parse(Name);

    /// <summary>The release of a name such as 2.11.1 or v2.11.1.</summary>
    /// <exception cref="ArgumentException">The name is no release from 2.2.0 to 2.16.0.</exception>
    public static HarborRelease Parse(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Every.FirstOrDefault(release => release.Name == name.TrimStart('v'))
            ?? throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"Harbor {name} is not known: name one from {Every[0].Name} to {Every[^1].Name}."), nameof(name));
    }

    /// <summary>The first release that ends on a schema version.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No release from 2.2.0 on ends on it.</exception>
    public static HarborRelease OfSchema(int schemaVersion) =>
        Supported.FirstOrDefault(release => release.SchemaVersion == schemaVersion)
        ?? throw new ArgumentOutOfRangeException(nameof(schemaVersion), schemaVersion, "No release ends on this schema version.");

    /// <summary>Whether this release is the named one or a newer one.</summary>
    public bool IsAtLeast(string name) => Version >= Version.Parse(name);

    /// <summary>Whether this release lies between two releases, both included.</summary>
    public bool IsWithin(string first, string last) => Version >= Version.Parse(first) && Version <= Version.Parse(last);

    public override string ToString() => Name;
}

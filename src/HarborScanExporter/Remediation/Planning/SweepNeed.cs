using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>Which Harbors do not remove their old executions by themselves, or fail at it (harbor-facts 4.7).</summary>
internal static class SweepNeed
{
    /// <summary>2.12.0, the first of which no release sweeps wrongly.</summary>
    private const long Mended = 150;

    /// <summary>The patch level since which an execution with a task that is not over is passed by instead of failing the sweep.</summary>
    private static readonly Version MendedPatch = new(2, 11, 1);

    /// <summary>Whether Harbors of this schema version may leave old executions.</summary>
    /// <param name="schemaVersion">schema_migrations.version.</param>
    public static bool MayBe(long schemaVersion) => schemaVersion < Mended;

    /// <summary>Why executions of a type are left to Harbor's own sweep, with the mend where there is one; null when they are not.</summary>
    /// <param name="type">One of <see cref="ScanType"/>.</param>
    /// <param name="schemaVersion">schema_migrations.version.</param>
    /// <param name="release">Harbor's own word for its release, such as v2.11.1-70c03a0f; null when it was not asked.</param>
    /// <param name="newestSweepFailed">Whether the newest EXECUTION_SWEEP ended in Error.</param>
    public static string? Refusal(string type, long schemaVersion, string? release, bool newestSweepFailed) => schemaVersion switch
    {
        >= Mended => "Harbor 2.12 and later remove old executions by themselves, every day at midnight UTC.",
        < HarborSchema.WithSweepJob => type == ScanType.ScanAll ? "Harbor before 2.8 removes old scan-alls by itself whenever a new one starts." : null,
        < HarborSchema.LastWithForeignKeyFailure => null,
        _ => PatchOf(release) is { } patch
            ? patch < MendedPatch ? null : $"Harbor {patch} removes old executions by itself, every hour."
            : newestSweepFailed ? null : "Harbor 2.11.1 and later remove old executions by themselves, and no sweep failed here. Set HARBOR_API_USERNAME, so that Harbor tells its release.",
    };

    private static Version? PatchOf(string? release) => release is not null && Version.TryParse(release.TrimStart('v').Split('-', '+')[0], out var patch) ? patch : null;
}

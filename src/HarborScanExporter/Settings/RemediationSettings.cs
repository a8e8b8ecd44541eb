namespace HarborScanExporter.Settings;

/// <summary>How far repairs may go; the ceiling for every way in, the command line too.</summary>
internal enum RemediationMode
{
    /// <summary>Nothing is planned to be written, and nothing is.</summary>
    Off,

    /// <summary>The statements of a repair run and are rolled back.</summary>
    DryRun,

    /// <summary>Repairs are written.</summary>
    Execute,
}

/// <summary>The words of <see cref="RemediationMode"/> in settings, labels and documents.</summary>
internal static class RemediationModeWords
{
    /// <summary>All of them, from the lowest ceiling to the highest.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Enum.GetValues<RemediationMode>().Select(Word)];

    /// <summary>The lower-case word.</summary>
    public static string Word(this RemediationMode mode) => mode switch
    {
        RemediationMode.Off => "off",
        RemediationMode.DryRun => "dry-run",
        _ => "execute",
    };
}

/// <summary>What repairs may do, how many of them, and who they are to the database.</summary>
internal sealed record RemediationSettings
{
    public RemediationMode Mode { get; init; }

    /// <summary>The role that repairs; null when none is named, which only the mode off allows.</summary>
    public string? DatabaseUsername { get; init; }

    public string? DatabasePassword { get; init; }

    public SecretFile? DatabasePasswordFile { get; init; }

    /// <summary>Names of the alerts that may wake a repair.</summary>
    public IReadOnlySet<string> Alerts { get; init; } = new HashSet<string>();

    /// <summary>Repairs of one batch.</summary>
    public int MaxPerRun { get; init; }

    public int MaxPerHour { get; init; }

    public int MaxPerDay { get; init; }

    /// <summary>Above this share of the open tasks, stuck ones may be an outage.</summary>
    public double MaxShare { get; init; }

    /// <summary>How long a repaired row is left alone.</summary>
    public TimeSpan Cooldown { get; init; }

    /// <summary>Repairs of one row before it is left to a person.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>Whether artifacts of repaired scans are scanned again.</summary>
    public bool Rescan { get; init; }

    /// <summary>Whether old executions are removed where Harbor cannot.</summary>
    public bool Sweep { get; init; }

    /// <summary>Whether leaked robot accounts are removed.</summary>
    public bool Robots { get; init; }

    /// <summary>While this file exists nothing is repaired; null when there is no such switch.</summary>
    public string? PauseFile { get; init; }

    /// <summary>The server and database that are scraped, as the repairing role signs in there.</summary>
    public DatabaseSettings SignIn(DatabaseSettings scraped) => scraped with
    {
        Username = DatabaseUsername ?? "",
        Password = DatabasePassword,
        PasswordFile = DatabasePasswordFile,
    };
}

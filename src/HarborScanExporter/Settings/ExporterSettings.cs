namespace HarborScanExporter.Settings;

/// <summary>Settings that were read and checked; only <see cref="SettingsReader"/> makes them outside tests.</summary>
internal sealed record ExporterSettings
{
    public required DatabaseSettings Database { get; init; }

    /// <summary>The job service's Redis; null when verdicts rest on rows alone.</summary>
    public JobServiceSettings? JobService { get; init; }

    /// <summary>Harbor's API; null when it is not asked.</summary>
    public ApiSettings? Api { get; init; }

    /// <summary>An http URL of one address and port.</summary>
    public required string Listen { get; init; }

    /// <summary>The second listener; null when it is off.</summary>
    public OperationsSettings? Operations { get; init; }

    /// <summary>What repairs may do; off by default.</summary>
    public RemediationSettings Remediation { get; init; } = new();

    /// <summary>Upper bound of one collection.</summary>
    public required TimeSpan ScrapeTimeout { get; init; }

    /// <summary>How often the whole tables are read beside the scrapes; zero when every scrape reads them.</summary>
    public TimeSpan ReconciliationInterval { get; init; }

    /// <summary>Upper bound of one such read.</summary>
    public TimeSpan ReconciliationTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Harbor's own max_job_duration_hours.</summary>
    public required TimeSpan MaxJobDuration { get; init; }

    /// <summary>Least age of a lost task on rows alone.</summary>
    public required TimeSpan LostAfter { get; init; }

    /// <summary>A scan running longer is overdue.</summary>
    public required TimeSpan RunningLimit { get; init; }

    /// <summary>Time after an execution's newest change before it is called inconsistent.</summary>
    public required TimeSpan Settle { get; init; }

    public required IReadOnlySet<string> CollectorsEnabled { get; init; }

    public required IReadOnlySet<string> CollectorsDisabled { get; init; }

    /// <summary>Rising thresholds of harbor_scan_tasks_older_than.</summary>
    public required IReadOnlyList<TimeSpan> AgeThresholds { get; init; }

    /// <summary>Every file of a secret that is in use.</summary>
    public IEnumerable<SecretFile> SecretFiles =>
        new[] { Database.PasswordFile, JobService?.UrlFile, Api?.PasswordFile, Operations?.TokenFile, Remediation.DatabasePasswordFile }.OfType<SecretFile>();

    /// <summary>Each setting that is no secret with its effective value, for the landing page.</summary>
    public required IReadOnlyDictionary<string, string> Shown { get; init; }
}

/// <summary>Where Harbor's database is and how to sign in.</summary>
internal sealed record DatabaseSettings
{
    public required string Host { get; init; }

    public required int Port { get; init; }

    public required string Username { get; init; }

    public string? Password { get; init; }

    public SecretFile? PasswordFile { get; init; }

    public required string Name { get; init; }

    /// <summary>libpq's word.</summary>
    public required string SslMode { get; init; }
}

/// <summary>Harbor's API and a user of it.</summary>
internal sealed record ApiSettings
{
    /// <summary>Scheme, host and port.</summary>
    public required Uri Address { get; init; }

    public required string Username { get; init; }

    public string? Password { get; init; }

    public SecretFile? PasswordFile { get; init; }
}

/// <summary>The second listener, whose every route but the empty page asks for a token.</summary>
/// <param name="Listen">An http URL of one address and port.</param>
/// <param name="TokenFile">The file that holds the token.</param>
internal sealed record OperationsSettings(string Listen, SecretFile TokenFile)
{
    /// <summary>A shorter token can be guessed.</summary>
    public const int LeastTokenLength = 16;
}

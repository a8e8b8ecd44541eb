namespace HarborScanExporter.Settings;

/// <summary>One setting of the contract: its environment variable, its default and what it means.</summary>
/// <param name="Name">The environment variable.</param>
/// <param name="Default">The value when nothing is given; null when there is none.</param>
/// <param name="Meaning">One sentence for the reference and for <c>--help</c>.</param>
/// <param name="IsSecret">Secrets have no flag and are shown nowhere.</param>
internal sealed record Setting(string Name, string? Default, string Meaning, bool IsSecret = false)
{
    /// <summary>The equal-named flag: <c>HARBOR_SCAN_SCRAPE_TIMEOUT</c> is <c>--scrape-timeout</c>.</summary>
    public string Flag => "--" + Name
        .Replace("HARBOR_SCAN_", "", StringComparison.Ordinal)
        .Replace("HARBOR_", "", StringComparison.Ordinal)
        .Replace('_', '-')
        .ToLowerInvariant();

    /// <summary>Every setting this program reads, in the order of the reference.</summary>
    public static IReadOnlyList<Setting> All { get; } =
    [
        new(Names.DatabaseHost, null, "Host of Harbor's database. Required."),
        new(Names.DatabasePort, "5432", "Port of Harbor's database."),
        new(Names.DatabaseUsername, null, "Role that reads Harbor's database: the one of deploy/sql. Required."),
        new(Names.DatabasePassword, null, "Password of that role.", IsSecret: true),
        new(Names.DatabasePasswordFile, null, "File that holds the password; read again for each new connection."),
        new(Names.DatabaseName, "registry", "Name of Harbor's database."),
        new(Names.DatabaseSslMode, "disable", "disable, allow, prefer, require, verify-ca or verify-full, as in libpq; authorities come from PGSSLROOTCERT."),
        new(Names.RedisUrl, null, "The job service's Redis in Harbor's own grammar; it holds a password. Without it verdicts rest on rows alone.", IsSecret: true),
        new(Names.RedisUrlFile, null, "File that holds that URL; read again when it changes."),
        new(Names.RedisNamespace, "harbor_job_service_namespace", "Namespace of the job service's keys."),
        new(Names.ServiceScheme, "http", "http or https: how Harbor's API is reached."),
        new(Names.ServiceHost, null, "Host of Harbor's API, which tells read-only mode and Harbor's exact version."),
        new(Names.ServicePort, null, "Port of Harbor's API; that of the scheme when not given."),
        new(Names.ApiUsername, null, "User of Harbor's API; without it the API is not asked."),
        new(Names.ApiPassword, null, "Password of that user.", IsSecret: true),
        new(Names.ApiPasswordFile, null, "File that holds that password; read again for each request."),
        new(Names.Listen, "http://*:10988", "Address of /metrics, the landing page and the health endpoints; * is every address, IPv6 and IPv4."),
        new(Names.OperationsListen, null, "Address of the second listener: findings and the status page. Off when not given; needs a token."),
        new(Names.OperationsTokenFile, null, "File that holds the token of the second listener, 16 characters or more; read again when it changes."),
        new(Names.Remediation, "off", "off, dry-run or execute: how far repairs may go, by whatever way they are asked for. Other than off needs HARBOR_REDIS_URL."),
        new(Names.RemediationDatabaseUsername, null, "Role that repairs: the one of deploy/sql/03-remediation-role.sql, on the same server and database."),
        new(Names.RemediationDatabasePassword, null, "Password of that role.", IsSecret: true),
        new(Names.RemediationDatabasePasswordFile, null, "File that holds that password; read again for each new connection."),
        new(Names.RemediationAlerts,
            "HarborScanStuck,HarborScanStuckLong,HarborScanLost,HarborScanUnreported,HarborScanHung,HarborScanAllBlocked,HarborScanSweepBlocked,HarborScanInconsistentRows",
            "Names of the alerts that may wake a repair, separated by commas."),
        new(Names.RemediationMaxPerRun, "50", "Repairs of one batch."),
        new(Names.RemediationMaxPerHour, "500", "Repairs within an hour."),
        new(Names.RemediationMaxPerDay, "2000", "Repairs within a day."),
        new(Names.RemediationMaxShare, "0.5", "With more than 20 stuck scans that are more than this share of the open ones it may be an outage: each waits until another scan has begun or succeeded after it was first seen stuck."),
        new(Names.RemediationCooldown, "1h", "How long a row is left alone after a repair of it."),
        new(Names.RemediationMaxAttempts, "2", "Repairs of one row; after that a person is needed."),
        new(Names.RemediationRescan, "off", "on or off: scan the artifacts of repaired scans again, by Harbor's API."),
        new(Names.RemediationSweep, "off", "on or off: remove old executions where Harbor's own sweep does not; needs the grant of deploy/sql/04-remediation-sweep.sql."),
        new(Names.RemediationRobots, "off", "on or off: remove leaked robot accounts of scans, by Harbor's API."),
        new(Names.RemediationPauseFile, null, "While this file exists nothing is repaired; its text is the reason shown."),
        new(Names.ScrapeTimeout, "10s", "Upper bound of one collection; the scraper's own timeout less 0.5 s wins when it is shorter."),
        new(Names.ReconciliationInterval, "15m", "How often the whole tables are read, in the background; between, a scrape reads by primary key what is open or new. 0: every scrape reads the whole tables."),
        new(Names.ReconciliationTimeout, "2m", "Upper bound of one such read; it does not hold up a scrape."),
        new(Names.MaxJobDuration, "24h", "Harbor's own max_job_duration_hours, after which its reaper fails a job; at least 24h, as in Harbor."),
        new(Names.LostAfter, "2h10m", "A Pending task that Harbor's job service never confirmed is called lost on rows alone only when it is older; at least 65m."),
        new(Names.RunningLimit, "2h", "A scan that runs longer is overdue, or hung when a worker is seen to hold it."),
        new(Names.Settle, "5m", "An execution is given this long after its newest change before it is called inconsistent."),
        new(Names.CollectorsEnabled, null, "Collectors to add to the default set, separated by commas."),
        new(Names.CollectorsDisabled, null, "Collectors to take from the default set, separated by commas."),
        new(Names.AgeThresholds, "1m,5m,15m,1h,3h,6h,1d,7d", "Thresholds of harbor_scan_tasks_older_than: 1 to 16 rising durations."),
    ];

    /// <summary>The environment variables.</summary>
    public static class Names
    {
        public const string DatabaseHost = "HARBOR_DATABASE_HOST";
        public const string DatabasePort = "HARBOR_DATABASE_PORT";
        public const string DatabaseUsername = "HARBOR_DATABASE_USERNAME";
        public const string DatabasePassword = "HARBOR_DATABASE_PASSWORD";
        public const string DatabasePasswordFile = "HARBOR_DATABASE_PASSWORD_FILE";
        public const string DatabaseName = "HARBOR_DATABASE_DBNAME";
        public const string DatabaseSslMode = "HARBOR_DATABASE_SSLMODE";
        public const string RedisUrl = "HARBOR_REDIS_URL";
        public const string RedisUrlFile = "HARBOR_REDIS_URL_FILE";
        public const string RedisNamespace = "HARBOR_REDIS_NAMESPACE";
        public const string ServiceScheme = "HARBOR_SERVICE_SCHEME";
        public const string ServiceHost = "HARBOR_SERVICE_HOST";
        public const string ServicePort = "HARBOR_SERVICE_PORT";
        public const string ApiUsername = "HARBOR_API_USERNAME";
        public const string ApiPassword = "HARBOR_API_PASSWORD";
        public const string ApiPasswordFile = "HARBOR_API_PASSWORD_FILE";
        public const string OperationsListen = "HARBOR_SCAN_OPERATIONS_LISTEN";
        public const string OperationsTokenFile = "HARBOR_SCAN_OPERATIONS_TOKEN_FILE";
        public const string Listen = "HARBOR_SCAN_LISTEN";
        public const string Remediation = "HARBOR_SCAN_REMEDIATION";
        public const string RemediationDatabaseUsername = "HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME";
        public const string RemediationDatabasePassword = "HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD";
        public const string RemediationDatabasePasswordFile = "HARBOR_SCAN_REMEDIATION_DATABASE_PASSWORD_FILE";
        public const string RemediationAlerts = "HARBOR_SCAN_REMEDIATION_ALERTS";
        public const string RemediationMaxPerRun = "HARBOR_SCAN_REMEDIATION_MAX_PER_RUN";
        public const string RemediationMaxPerHour = "HARBOR_SCAN_REMEDIATION_MAX_PER_HOUR";
        public const string RemediationMaxPerDay = "HARBOR_SCAN_REMEDIATION_MAX_PER_DAY";
        public const string RemediationMaxShare = "HARBOR_SCAN_REMEDIATION_MAX_SHARE";
        public const string RemediationCooldown = "HARBOR_SCAN_REMEDIATION_COOLDOWN";
        public const string RemediationMaxAttempts = "HARBOR_SCAN_REMEDIATION_MAX_ATTEMPTS";
        public const string RemediationRescan = "HARBOR_SCAN_REMEDIATION_RESCAN";
        public const string RemediationSweep = "HARBOR_SCAN_REMEDIATION_SWEEP";
        public const string RemediationRobots = "HARBOR_SCAN_REMEDIATION_ROBOTS";
        public const string RemediationPauseFile = "HARBOR_SCAN_REMEDIATION_PAUSE_FILE";
        public const string ScrapeTimeout = "HARBOR_SCAN_SCRAPE_TIMEOUT";
        public const string ReconciliationInterval = "HARBOR_SCAN_RECONCILIATION_INTERVAL";
        public const string ReconciliationTimeout = "HARBOR_SCAN_RECONCILIATION_TIMEOUT";
        public const string MaxJobDuration = "HARBOR_SCAN_MAX_JOB_DURATION";
        public const string LostAfter = "HARBOR_SCAN_LOST_AFTER";
        public const string RunningLimit = "HARBOR_SCAN_RUNNING_LIMIT";
        public const string Settle = "HARBOR_SCAN_SETTLE";
        public const string CollectorsEnabled = "HARBOR_SCAN_COLLECTORS_ENABLED";
        public const string CollectorsDisabled = "HARBOR_SCAN_COLLECTORS_DISABLED";
        public const string AgeThresholds = "HARBOR_SCAN_AGE_THRESHOLDS";
    }
}

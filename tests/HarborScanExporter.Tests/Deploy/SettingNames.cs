namespace HarborScanExporter.Tests.Deploy;

/// <summary>The environment variables that the product reads.</summary>
internal static class SettingNames
{
    public static IReadOnlySet<string> All { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "HARBOR_DATABASE_HOST",
        "HARBOR_DATABASE_PORT",
        "HARBOR_DATABASE_USERNAME",
        "HARBOR_DATABASE_PASSWORD",
        "HARBOR_DATABASE_PASSWORD_FILE",
        "HARBOR_DATABASE_DBNAME",
        "HARBOR_DATABASE_SSLMODE",
        "HARBOR_SCAN_LISTEN",
        "HARBOR_SCAN_SCRAPE_TIMEOUT",
        "HARBOR_SCAN_MAX_JOB_DURATION",
        "HARBOR_SCAN_LOST_AFTER",
        "HARBOR_SCAN_RUNNING_LIMIT",
        "HARBOR_SCAN_SETTLE",
        "HARBOR_SCAN_COLLECTORS_ENABLED",
        "HARBOR_SCAN_COLLECTORS_DISABLED",
        "HARBOR_SCAN_AGE_THRESHOLDS",
    };
}

using System.Text.RegularExpressions;

namespace HarborScanExporter.Settings;

/// <summary>
/// Reads what repairs may do. While the mode is off everything else may be prepared or half prepared; armed, nothing may be missing that a
/// repair rests on.
/// </summary>
internal static partial class RemediationReader
{
    /// <summary>Reads it; mistakes go to the values.</summary>
    public static RemediationSettings Read(SettingValues values)
    {
        var settings = new RemediationSettings
        {
            Mode = Mode(values),
            DatabaseUsername = values.Value(Setting.Names.RemediationDatabaseUsername),
            DatabasePassword = values.Secret(Setting.Names.RemediationDatabasePassword),
            DatabasePasswordFile = values.SecretFile(Setting.Names.RemediationDatabasePasswordFile, Setting.Names.RemediationDatabasePassword, SecretFile.OfPassword),
            Alerts = Alerts(values),
            MaxPerRun = values.Number(Setting.Names.RemediationMaxPerRun, 1, 500),
            MaxPerHour = values.Number(Setting.Names.RemediationMaxPerHour, 1, 100_000),
            MaxPerDay = values.Number(Setting.Names.RemediationMaxPerDay, 1, 1_000_000),
            MaxShare = values.Share(Setting.Names.RemediationMaxShare),
            Cooldown = values.Duration(Setting.Names.RemediationCooldown, TimeSpan.FromMinutes(1), TimeSpan.FromDays(7)),
            MaxAttempts = values.Number(Setting.Names.RemediationMaxAttempts, 1, 10),
            Rescan = values.IsOn(Setting.Names.RemediationRescan),
            Sweep = values.IsOn(Setting.Names.RemediationSweep),
            Robots = values.IsOn(Setting.Names.RemediationRobots),
            PauseFile = PauseFile(values),
        };
        Rising(values, Setting.Names.RemediationMaxPerRun, settings.MaxPerRun, Setting.Names.RemediationMaxPerHour, settings.MaxPerHour);
        Rising(values, Setting.Names.RemediationMaxPerHour, settings.MaxPerHour, Setting.Names.RemediationMaxPerDay, settings.MaxPerDay);
        CheckRole(values, values.Value(Setting.Names.DatabaseUsername), settings.DatabaseUsername);
        if (settings.Mode != RemediationMode.Off) CheckArmed(values, settings);
        return settings;
    }

    /// <summary>How far repairs may go.</summary>
    public static RemediationMode Mode(SettingValues values)
    {
        var word = values.OneOf(Setting.Names.Remediation, RemediationModeWords.All);
        return Enum.GetValues<RemediationMode>().FirstOrDefault(mode => mode.Word() == word);
    }

    /// <summary>The scraping role can write nothing (conventions 5.11): it must not be given the grants of the other.</summary>
    /// <param name="values">Takes the mistake.</param>
    /// <param name="scraping">The role that scrapes.</param>
    /// <param name="repairing">The role that repairs; null when none is named.</param>
    public static void CheckRole(SettingValues values, string? scraping, string? repairing)
    {
        if (repairing is not null && repairing == scraping)
            values.Refuse($"{Setting.Names.RemediationDatabaseUsername} and {Setting.Names.DatabaseUsername} both name {repairing}. Name a role of its own: the one that scrapes can write nothing.");
    }

    private static void CheckArmed(SettingValues values, RemediationSettings settings)
    {
        var armed = $"{Setting.Names.Remediation} is {settings.Mode.Word()}";
        if (values.Secret(Setting.Names.RedisUrl) is null && values.Value(Setting.Names.RedisUrlFile) is null)
            values.Refuse($"{armed} without {Setting.Names.RedisUrl}. Set it or {Setting.Names.RedisUrlFile}: nothing is repaired without proof.");
        if (settings.DatabaseUsername is null)
            values.Refuse($"{armed} without {Setting.Names.RemediationDatabaseUsername}. Name the role of deploy/sql/03-remediation-role.sql.");
        if (settings.DatabasePassword is null && settings.DatabasePasswordFile is null)
            values.Refuse($"{armed} without a password of its role. Set {Setting.Names.RemediationDatabasePassword} or {Setting.Names.RemediationDatabasePasswordFile}.");
        NeedsApi(settings.Rescan, Setting.Names.RemediationRescan);
        NeedsApi(settings.Robots, Setting.Names.RemediationRobots);

        void NeedsApi(bool isOn, string name)
        {
            if (isOn && values.Value(Setting.Names.ApiUsername) is null)
                values.Refuse($"{name} is on without {Setting.Names.ApiUsername}. Name a user of Harbor's API with its host and password, or switch it off.");
        }
    }

    private static void Rising(SettingValues values, string lower, int least, string upper, int most)
    {
        // One that is no number was refused already.
        if (least > 0 && most > 0 && most < least) values.Refuse($"{upper} is less than {lower}. Raise it, or lower {lower}.");
    }

    private static HashSet<string> Alerts(SettingValues values)
    {
        const string name = Setting.Names.RemediationAlerts;
        var alerts = values.List(name);
        foreach (var alert in alerts.Where(alert => !AlertName().IsMatch(alert)))
            values.Refuse($"{name}: {alert} is no name of an alert. Give names of letters, digits and underscores, separated by commas.");
        if (alerts.Count == 0) values.Refuse($"{name} names no alert. Name at least one, or remove the setting.");
        return alerts;
    }

    private static string? PauseFile(SettingValues values)
    {
        const string name = Setting.Names.RemediationPauseFile;
        if (values.Value(name) is not { } path) return null;
        if (Directory.Exists(path))
            values.Refuse($"{name}: {path} is a directory. Name a file in it, which need not be there.");
        // A switch in a place that is not mounted would never be seen.
        else if (Path.GetDirectoryName(Path.GetFullPath(path)) is not { } directory || !Directory.Exists(directory))
            values.Refuse($"{name}: there is no directory for {path}. Mount it, or correct the path; the file itself need not be there.");
        return path;
    }

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex AlertName();
}

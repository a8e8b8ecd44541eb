using System.Globalization;
using HarborScanExporter.Collectors;

namespace HarborScanExporter.Settings;

/// <summary>What came of reading the settings: either settings, or errors that each name the setting and the mend.</summary>
/// <param name="Settings">Null when there is an error.</param>
/// <param name="Errors">One sentence for each mistake, all of them at once.</param>
/// <param name="Ignored">Variables of Kubernetes' service links that were passed over.</param>
internal sealed record SettingsReading(ExporterSettings? Settings, IReadOnlyList<string> Errors, IReadOnlyList<string> Ignored);

/// <summary>Reads settings from environment variables and equal-named flags; a flag wins.</summary>
internal sealed class SettingsReader
{
    private static readonly string[] SslModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
    private static readonly string[] Schemes = ["http", "https"];
    private readonly Dictionary<string, string> _given = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _shown = new(StringComparer.Ordinal);
    private readonly List<string> _errors = [];
    private readonly List<string> _ignored = [];

    private SettingsReader(IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string> flags)
    {
        foreach (var (name, value) in environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var known = Setting.All.Any(setting => setting.Name == name);
            if (!known && !name.StartsWith("HARBOR_SCAN_", StringComparison.Ordinal)) continue;
            if (ServiceLinks.Wrote(name, value) && !IsHarborService(name)) _ignored.Add(name);
            else if (known) _given[name] = value;
            else _errors.Add($"{name} is no setting of this program{Suggestion(name)} Remove it or correct its name.");
        }
        foreach (var (name, value) in flags) _given[name] = value;
    }

    /// <summary>Reads and checks everything.</summary>
    /// <param name="environment">All variables of the process.</param>
    /// <param name="flags">Values given as flags, by the name of their setting.</param>
    public static SettingsReading Read(IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string> flags) =>
        new SettingsReader(environment, flags).Read();

    private SettingsReading Read()
    {
        var settings = new ExporterSettings
        {
            Database = new DatabaseSettings
            {
                Host = Required(Setting.Names.DatabaseHost),
                Port = Port(Setting.Names.DatabasePort),
                Username = Required(Setting.Names.DatabaseUsername),
                Password = Secret(Setting.Names.DatabasePassword),
                PasswordFile = SecretFile(Setting.Names.DatabasePasswordFile, Setting.Names.DatabasePassword),
                Name = Required(Setting.Names.DatabaseName),
                SslMode = OneOf(Setting.Names.DatabaseSslMode, SslModes),
            },
            JobService = JobService(),
            Api = Api(),
            Listen = Listen(Setting.Names.Listen),
            Operations = Operations(),
            Remediation = new RemediationSettings { Mode = Value(Setting.Names.Remediation) == "execute" ? RemediationMode.Execute : RemediationMode.Off, DatabaseUsername = Value(Setting.Names.RemediationDatabaseUsername), DatabasePassword = Secret(Setting.Names.RemediationDatabasePassword), MaxPerRun = 50, MaxPerHour = 500, MaxPerDay = 2000, MaxShare = 0.5, Cooldown = TimeSpan.FromHours(1), MaxAttempts = 2 },
            ScrapeTimeout = Duration(Setting.Names.ScrapeTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)),
            MaxJobDuration = Duration(Setting.Names.MaxJobDuration, TimeSpan.FromHours(24), TimeSpan.FromDays(365)),
            LostAfter = Duration(Setting.Names.LostAfter, TimeSpan.FromMinutes(65), TimeSpan.FromDays(365)),
            RunningLimit = Duration(Setting.Names.RunningLimit, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365)),
            Settle = Duration(Setting.Names.Settle, TimeSpan.FromMinutes(1), TimeSpan.FromDays(7)),
            CollectorsEnabled = Collectors(Setting.Names.CollectorsEnabled),
            CollectorsDisabled = Collectors(Setting.Names.CollectorsDisabled),
            AgeThresholds = Thresholds(),
            Shown = _shown,
        };
        if (settings.JobService is null && settings.CollectorsEnabled.Contains(JobServiceCollector.CollectorName))
            _errors.Add($"{Setting.Names.CollectorsEnabled} names {JobServiceCollector.CollectorName}, which needs {Setting.Names.RedisUrl}. Set it, or take the name out.");
        foreach (var both in settings.CollectorsEnabled.Intersect(settings.CollectorsDisabled, StringComparer.Ordinal))
            _errors.Add($"{Setting.Names.CollectorsEnabled} and {Setting.Names.CollectorsDisabled} both name {both}. Name it in one of them.");
        return new SettingsReading(_errors.Count == 0 ? settings : null, _errors, _ignored);
    }

    private string? Value(string name)
    {
        var value = _given.GetValueOrDefault(name, "").Trim();
        if (value.Length == 0) value = Setting.All.Single(setting => setting.Name == name).Default ?? "";
        if (value.Length == 0) return null;
        if (!Setting.All.Single(setting => setting.Name == name).IsSecret) _shown[name] = value;
        return value;
    }

    private string Required(string name)
    {
        if (Value(name) is { } value) return value;
        _errors.Add($"{name} is not set. Set it, or give {FlagOf(name)}.");
        return "";
    }

    private string? Secret(string name) => _given.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    private string? SecretFile(string name, string instead)
    {
        if (Value(name) is not { } path) return null;
        if (Secret(instead) is not null) _errors.Add($"{instead} and {name} are both set. Keep one of them.");
        if (!File.Exists(path)) _errors.Add($"{name}: there is no readable file {path}. Mount it, or correct the path.");
        return path;
    }

    private JobServiceSettings? JobService()
    {
        var ns = Value(Setting.Names.RedisNamespace)!;
        if (ns.Contains('{', StringComparison.Ordinal) || ns.Contains('}', StringComparison.Ordinal))
            _errors.Add($"{Setting.Names.RedisNamespace}: {ns} has braces. Write it as in Harbor's configuration, without them.");
        var file = SecretFile(Setting.Names.RedisUrlFile, Setting.Names.RedisUrl);
        if (file is not null) return new JobServiceSettings { UrlFile = file, Namespace = ns };
        if (Secret(Setting.Names.RedisUrl) is not { } url) return null;
        var redis = RedisSettings.Parse(url.Trim(), out var problem);
        if (problem is not null) _errors.Add($"{Setting.Names.RedisUrl}: {problem}");
        return new JobServiceSettings { Redis = redis, Namespace = ns };
    }

    private ApiSettings? Api()
    {
        var scheme = OneOf(Setting.Names.ServiceScheme, Schemes);
        var host = Value(Setting.Names.ServiceHost);
        var port = Value(Setting.Names.ServicePort) is null ? (int?)null : Port(Setting.Names.ServicePort);
        var user = Value(Setting.Names.ApiUsername);
        var password = Secret(Setting.Names.ApiPassword);
        var file = SecretFile(Setting.Names.ApiPasswordFile, Setting.Names.ApiPassword);
        if (user is null)
        {
            // Host and port alone come with Harbor's own exporter, or with Kubernetes, and mean nothing by themselves.
            if (password is not null || file is not null)
                _errors.Add($"{Setting.Names.ApiPassword} is set without {Setting.Names.ApiUsername}. Name the user, or remove the password.");
            return null;
        }
        if (host is null) _errors.Add($"{Setting.Names.ApiUsername} is set without {Setting.Names.ServiceHost}. Name the host of Harbor's API.");
        if (password is null && file is null) _errors.Add($"{Setting.Names.ApiUsername} is set without a password. Set {Setting.Names.ApiPassword} or {Setting.Names.ApiPasswordFile}.");
        var isName = host is not null && Uri.CheckHostName(host.Trim('[', ']')) != UriHostNameType.Unknown;
        if (!isName || !Uri.TryCreate($"{scheme}://{host}{(port is { } number ? $":{number.ToString(CultureInfo.InvariantCulture)}" : "")}/", UriKind.Absolute, out var address) || address.Host.Length == 0)
        {
            if (host is not null) _errors.Add($"{Setting.Names.ServiceHost}: {host} is no host name. Give the host alone, without scheme, port or path.");
            return null;
        }
        return new ApiSettings { Address = address, Username = user, Password = password, PasswordFile = file };
    }

    private OperationsSettings? Operations()
    {
        const string listenName = Setting.Names.OperationsListen;
        const string tokenName = Setting.Names.OperationsTokenFile;
        var isOn = Value(listenName) is not null;
        var token = Value(tokenName);
        if (!isOn)
        {
            if (token is not null) _errors.Add($"{tokenName} is set without {listenName}. Set the address of the second listener, or remove the token.");
            return null;
        }
        var listen = Listen(listenName);
        if (token is null)
        {
            _errors.Add($"{listenName} is set without {tokenName}. The second listener does not start without a token: write one into a file, for example with openssl rand -hex 32.");
            return null;
        }
        try
        {
            if (File.ReadAllText(token).Trim().Length < OperationsSettings.LeastTokenLength)
                _errors.Add($"{tokenName}: the token in {token} has fewer than {OperationsSettings.LeastTokenLength} characters. Write a longer one, for example with openssl rand -hex 32.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _errors.Add($"{tokenName}: there is no readable file {token}. Mount it, or correct the path.");
        }
        if (listen.Length > 0 && new Uri(listen).Port is > 0 and var port && Uri.TryCreate(Value(Setting.Names.Listen), UriKind.Absolute, out var first) && first.Port == port)
            _errors.Add($"{listenName} and {Setting.Names.Listen} name the same port. Each listener needs a port of its own.");
        return new OperationsSettings(listen, token);
    }

    private int Port(string name)
    {
        var value = Value(name);
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535) return port;
        _errors.Add($"{name}: {value} is no port. Give a number from 1 to 65535.");
        return 0;
    }

    private string OneOf(string name, string[] words)
    {
        var value = Value(name) ?? "";
        if (!words.Contains(value, StringComparer.Ordinal)) _errors.Add($"{name}: {value} is unknown. Give one of {string.Join(", ", words)}.");
        return value;
    }

    private string Listen(string name)
    {
        var value = Value(name) ?? "";
        var readable = value.Replace("://*:", "://0.0.0.0:", StringComparison.Ordinal).Replace("://+:", "://0.0.0.0:", StringComparison.Ordinal);
        if (Uri.TryCreate(readable, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0)
            return readable.TrimEnd('/');
        _errors.Add($"{name}: {value} is no address to listen on. Give http://<address>:<port>, for example http://0.0.0.0:10988.");
        return "";
    }

    private TimeSpan Duration(string name, TimeSpan least, TimeSpan most)
    {
        var value = Value(name) ?? "";
        if (!PrometheusDuration.TryParse(value, out var duration))
            _errors.Add($"{name}: {value} is no duration. Write it as Prometheus does, for example 90s, 2h10m or 7d.");
        else if (duration < least || duration > most)
            _errors.Add($"{name}: {value} is out of range. Give {PrometheusDuration.Format(least)} to {PrometheusDuration.Format(most)}.");
        return duration;
    }

    private HashSet<string> Collectors(string name)
    {
        var names = (Value(name) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
        foreach (var unknown in names.Except(CollectorSet.Names, StringComparer.Ordinal))
            _errors.Add($"{name}: there is no collector {unknown}. Choose from {string.Join(", ", CollectorSet.Names)}.");
        return names;
    }

    private List<TimeSpan> Thresholds()
    {
        const string name = Setting.Names.AgeThresholds;
        List<TimeSpan> thresholds = [];
        foreach (var part in (Value(name) ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            if (!PrometheusDuration.TryParse(part, out var threshold) || threshold < TimeSpan.FromSeconds(1))
                _errors.Add($"{name}: {part} is no duration of a second or more. Write it as Prometheus does, for example 90s, 2h10m or 7d.");
            else
                thresholds.Add(threshold);
        }
        if (thresholds.Count > 16) _errors.Add($"{name}: {thresholds.Count} thresholds are too many. Give at most 16; each adds nine series.");
        if (thresholds.Zip(thresholds.Skip(1)).Any(pair => pair.First >= pair.Second))
            _errors.Add($"{name}: the thresholds do not rise. Order them and remove doubles.");
        return thresholds;
    }

    /// <summary>Harbor's own exporter is told its host and port by the very names that Kubernetes gives a service called harbor.</summary>
    private static bool IsHarborService(string name) => name is Setting.Names.ServiceHost or Setting.Names.ServicePort;

    private static string FlagOf(string name) => Setting.All.Single(setting => setting.Name == name).Flag;

    private static string Suggestion(string name)
    {
        var nearest = Setting.All.Select(setting => setting.Name).MinBy(known => Distance(name, known))!;
        return Distance(name, nearest) <= 4 ? $"; did you mean {nearest}?" : ".";
    }

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (left[i - 1] == right[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[right.Length];
    }
}

using System.Globalization;
using HarborScanExporter.Text;

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
    private readonly SettingValues _values;
    private readonly List<string> _ignored = [];

    private SettingsReader(IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string> flags)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        _values = new SettingValues(given);
        foreach (var (name, value) in environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var known = Setting.All.Any(setting => setting.Name == name);
            if (!known && !name.StartsWith("HARBOR_SCAN_", StringComparison.Ordinal)) continue;
            if (ServiceLinks.Wrote(name, value) && !IsHarborService(name)) _ignored.Add(name);
            else if (known) given[name] = value;
            else _values.Refuse($"{name} is no setting of this program{Suggestion(name)} Remove it or correct its name.");
        }
        foreach (var (name, value) in flags) given[name] = value;
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
                Host = HostName.Bare(_values.Required(Setting.Names.DatabaseHost)),
                Port = _values.Port(Setting.Names.DatabasePort),
                Username = _values.Required(Setting.Names.DatabaseUsername),
                Password = _values.Secret(Setting.Names.DatabasePassword),
                PasswordFile = _values.SecretFile(Setting.Names.DatabasePasswordFile, Setting.Names.DatabasePassword, SecretFile.OfPassword),
                Name = _values.Required(Setting.Names.DatabaseName),
                SslMode = _values.OneOf(Setting.Names.DatabaseSslMode, SslModes),
            },
            JobService = JobService(),
            Api = Api(),
            Listen = _values.Listen(Setting.Names.Listen),
            Operations = Operations(),
            Remediation = RemediationReader.Read(_values),
            ScrapeTimeout = _values.Duration(Setting.Names.ScrapeTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)),
            ReconciliationInterval = _values.Duration(Setting.Names.ReconciliationInterval, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), orNone: true),
            ReconciliationTimeout = _values.Duration(Setting.Names.ReconciliationTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1)),
            MaxJobDuration = _values.Duration(Setting.Names.MaxJobDuration, TimeSpan.FromHours(24), TimeSpan.FromDays(365)),
            LostAfter = _values.Duration(Setting.Names.LostAfter, TimeSpan.FromMinutes(65), TimeSpan.FromDays(365)),
            RunningLimit = _values.Duration(Setting.Names.RunningLimit, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365)),
            Settle = _values.Duration(Setting.Names.Settle, TimeSpan.FromMinutes(1), TimeSpan.FromDays(7)),
            CollectorsEnabled = Collectors(Setting.Names.CollectorsEnabled),
            CollectorsDisabled = Collectors(Setting.Names.CollectorsDisabled),
            AgeThresholds = Thresholds(),
            Shown = _values.Shown,
        };
        if (settings.JobService is null && settings.CollectorsEnabled.Contains(CollectorNames.JobService))
            _values.Refuse($"{Setting.Names.CollectorsEnabled} names {CollectorNames.JobService}, which needs {Setting.Names.RedisUrl}. Set it, or take the name out.");
        if (settings.Remediation.Mode == RemediationMode.Off && settings.CollectorsEnabled.Contains(CollectorNames.Remediation))
            _values.Refuse($"{Setting.Names.CollectorsEnabled} names {CollectorNames.Remediation}, which tells of repairs, and {Setting.Names.Remediation} is off. Take the name out.");
        foreach (var both in settings.CollectorsEnabled.Intersect(settings.CollectorsDisabled, StringComparer.Ordinal))
            _values.Refuse($"{Setting.Names.CollectorsEnabled} and {Setting.Names.CollectorsDisabled} both name {both}. Name it in one of them.");
        return new SettingsReading(_values.Errors.Count == 0 ? settings : null, _values.Errors, _ignored);
    }

    private JobServiceSettings? JobService()
    {
        var ns = _values.Value(Setting.Names.RedisNamespace)!;
        if (ns.Contains('{', StringComparison.Ordinal) || ns.Contains('}', StringComparison.Ordinal))
            _values.Refuse($"{Setting.Names.RedisNamespace}: {ns} has braces. Write it as in Harbor's configuration, without them.");
        var file = _values.SecretFile(Setting.Names.RedisUrlFile, Setting.Names.RedisUrl, SecretFile.OfRedisUrl);
        if (file is not null) return new JobServiceSettings { UrlFile = file, Namespace = ns };
        if (_values.Secret(Setting.Names.RedisUrl) is not { } url) return null;
        var redis = RedisSettings.Parse(url.Trim(), out var problem);
        if (problem is not null) _values.Refuse($"{Setting.Names.RedisUrl}: {problem}");
        return new JobServiceSettings { Redis = redis, Namespace = ns };
    }

    private ApiSettings? Api()
    {
        var scheme = _values.OneOf(Setting.Names.ServiceScheme, Schemes);
        var host = _values.Value(Setting.Names.ServiceHost);
        var port = _values.Value(Setting.Names.ServicePort) is null ? (int?)null : _values.Port(Setting.Names.ServicePort);
        var user = _values.Value(Setting.Names.ApiUsername);
        var password = _values.Secret(Setting.Names.ApiPassword);
        var file = _values.SecretFile(Setting.Names.ApiPasswordFile, Setting.Names.ApiPassword, SecretFile.OfPassword);
        if (user is null)
        {
            // Host and port alone come with Harbor's own exporter, or with Kubernetes, and mean nothing by themselves.
            if (password is not null || file is not null)
                _values.Refuse($"{Setting.Names.ApiPassword} is set without {Setting.Names.ApiUsername}. Name the user, or remove the password.");
            return null;
        }
        if (host is null) _values.Refuse($"{Setting.Names.ApiUsername} is set without {Setting.Names.ServiceHost}. Name the host of Harbor's API.");
        if (password is null && file is null) _values.Refuse($"{Setting.Names.ApiUsername} is set without a password. Set {Setting.Names.ApiPassword} or {Setting.Names.ApiPasswordFile}.");
        var isName = host is not null && Uri.CheckHostName(HostName.Bare(host)) != UriHostNameType.Unknown;
        if (!isName || !Uri.TryCreate($"{scheme}://{HostName.InUrl(host!)}{(port is { } number ? $":{number.ToString(CultureInfo.InvariantCulture)}" : "")}/", UriKind.Absolute, out var address) || address.Host.Length == 0)
        {
            if (host is not null) _values.Refuse($"{Setting.Names.ServiceHost}: {host} is no host name. Give the host alone, without scheme, port or path.");
            return null;
        }
        return new ApiSettings { Address = address, Username = user, Password = password, PasswordFile = file };
    }

    private OperationsSettings? Operations()
    {
        const string listenName = Setting.Names.OperationsListen;
        const string tokenName = Setting.Names.OperationsTokenFile;
        var isOn = _values.Value(listenName) is not null;
        var token = _values.Value(tokenName);
        if (!isOn)
        {
            if (token is not null) _values.Refuse($"{tokenName} is set without {listenName}. Set the address of the second listener, or remove the token.");
            return null;
        }
        var listen = _values.Listen(listenName);
        if (token is null)
        {
            _values.Refuse($"{listenName} is set without {tokenName}. The second listener does not start without a token: write one into a file, for example with openssl rand -hex 32.");
            return null;
        }
        var file = _values.SecretFile(tokenName, null, SecretFile.OfToken)!;
        if (listen.Length > 0 && ListenAddress.Parse(listen).Port is > 0 and var port && Uri.TryCreate(ListenAddress.Readable(_values.Value(Setting.Names.Listen) ?? ""), UriKind.Absolute, out var first) && first.Port == port)
            _values.Refuse($"{listenName} and {Setting.Names.Listen} name the same port. Each listener needs a port of its own.");
        return new OperationsSettings(listen, file);
    }

    private HashSet<string> Collectors(string name)
    {
        var names = _values.List(name);
        foreach (var unknown in names.Except(CollectorNames.All, StringComparer.Ordinal))
            _values.Refuse($"{name}: there is no collector {unknown}. Choose from {string.Join(", ", CollectorNames.All)}.");
        return names;
    }

    private List<TimeSpan> Thresholds()
    {
        const string name = Setting.Names.AgeThresholds;
        List<TimeSpan> thresholds = [];
        foreach (var part in (_values.Value(name) ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            if (!PrometheusDuration.TryParse(part, out var threshold) || threshold < TimeSpan.FromSeconds(1))
                _values.Refuse($"{name}: {part} is no duration of a second or more. Write it as Prometheus does, for example 90s, 2h10m or 7d.");
            else
                thresholds.Add(threshold);
        }
        if (thresholds.Count > 16) _values.Refuse($"{name}: {thresholds.Count} thresholds are too many. Give at most 16; each adds nine series.");
        if (thresholds.Zip(thresholds.Skip(1)).Any(pair => pair.First >= pair.Second))
            _values.Refuse($"{name}: the thresholds do not rise. Order them and remove doubles.");
        return thresholds;
    }

    /// <summary>Harbor's own exporter is told its host and port by the very names that Kubernetes gives a service called harbor.</summary>
    private static bool IsHarborService(string name) => name is Setting.Names.ServiceHost or Setting.Names.ServicePort;

    private static string Suggestion(string name) =>
        Nearest.Of(name, Setting.All.Select(setting => setting.Name)) is { } nearest ? $"; did you mean {nearest}?" : ".";
}

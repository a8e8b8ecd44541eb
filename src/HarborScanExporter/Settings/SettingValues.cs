using System.Globalization;

namespace HarborScanExporter.Settings;

/// <summary>What was given for each setting, read as the type that it has; every mistake is kept with the setting and the mend.</summary>
/// <param name="given">The values by the name of their setting; one that is missing or blank has its default.</param>
internal sealed class SettingValues(IReadOnlyDictionary<string, string> given)
{
    private static readonly string[] Switch = ["on", "off"];
    private readonly Dictionary<string, string> _shown = new(StringComparer.Ordinal);
    private readonly List<string> _errors = [];

    /// <summary>One sentence for each mistake, in the order of reading.</summary>
    public IReadOnlyList<string> Errors => _errors;

    /// <summary>Each setting that was read and is no secret, with its effective value.</summary>
    public IReadOnlyDictionary<string, string> Shown => _shown;

    /// <summary>Keeps a mistake.</summary>
    /// <param name="error">A sentence that names the setting, and one that names the mend.</param>
    public void Refuse(string error) => _errors.Add(error);

    /// <summary>The value without blanks around it; null when there is neither a value nor a default.</summary>
    public string? Value(string name)
    {
        var value = given.GetValueOrDefault(name, "").Trim();
        if (value.Length == 0) value = Setting.All.Single(setting => setting.Name == name).Default ?? "";
        if (value.Length == 0) return null;
        if (!Setting.All.Single(setting => setting.Name == name).IsSecret) _shown[name] = value;
        return value;
    }

    /// <summary>A value that there must be.</summary>
    public string Required(string name)
    {
        if (Value(name) is { } value) return value;
        Refuse($"{name} is not set. Set it, or give {Setting.All.Single(setting => setting.Name == name).Flag}.");
        return "";
    }

    /// <summary>A secret as it was given, blanks included.</summary>
    public string? Secret(string name) => given.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    /// <summary>The file of a secret, which must be there and hold one.</summary>
    /// <param name="name">The setting that names the file.</param>
    /// <param name="instead">The setting that holds the secret itself, not both; null when there is no such setting.</param>
    /// <param name="make">Makes a file of such a secret, of the setting's name and the path.</param>
    public SecretFile? SecretFile(string name, string? instead, Func<string, string, SecretFile> make)
    {
        if (Value(name) is not { } path) return null;
        if (instead is not null && Secret(instead) is not null) Refuse($"{instead} and {name} are both set. Keep one of them.");
        var file = make(name, path);
        if (file.Check() is { } problem) Refuse($"{name}: {problem}");
        return file;
    }

    public int Port(string name)
    {
        var value = Value(name);
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535) return port;
        Refuse($"{name}: {value} is no port. Give a number from 1 to 65535.");
        return 0;
    }

    /// <summary>A whole number between two, both included; 0 when it is none.</summary>
    public int Number(string name, int least, int most)
    {
        var value = Value(name);
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
        Refuse(string.Create(CultureInfo.InvariantCulture, $"{name}: {value} is out of range. Give a whole number from {least} to {most}."));
        return 0;
    }

    /// <summary>A part of a whole, above 0 and at most 1.</summary>
    public double Share(string name)
    {
        var value = Value(name);
        if (double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var share) && share is > 0 and <= 1) return share;
        Refuse($"{name}: {value} is no share. Give a number above 0 and at most 1, for example 0.5.");
        return 1;
    }

    public string OneOf(string name, IReadOnlyList<string> words)
    {
        var value = Value(name) ?? "";
        if (!words.Contains(value, StringComparer.Ordinal)) Refuse($"{name}: {value} is unknown. Give one of {string.Join(", ", words)}.");
        return value;
    }

    /// <summary>Whether the word is <c>on</c>.</summary>
    public bool IsOn(string name) => OneOf(name, Switch) == Switch[0];

    /// <summary>An http URL of one address and port; <c>*</c> stands for every address.</summary>
    public string Listen(string name)
    {
        var value = Value(name) ?? "";
        var address = ListenAddress.Normal(value);
        if (!Uri.TryCreate(ListenAddress.Readable(address), UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp || uri.PathAndQuery != "/" || uri.UserInfo.Length > 0)
        {
            Refuse($"{name}: {value} is no address to listen on. Give http://<address>:<port>, for example http://0.0.0.0:10988.");
            return "";
        }
        // What a name stands for may change, and may be an address that nobody meant to open.
        if (uri.HostNameType is not (UriHostNameType.IPv4 or UriHostNameType.IPv6) && uri.Host != ListenAddress.Localhost)
        {
            Refuse($"{name}: {uri.Host} is a name. Give an address of this machine, localhost, or * for every address.");
            return "";
        }
        return address.TrimEnd('/');
    }

    /// <summary>A duration between two, both included.</summary>
    /// <param name="name">The setting.</param>
    /// <param name="least">The shortest.</param>
    /// <param name="most">The longest.</param>
    /// <param name="orNone">Whether 0, in whatever unit, is allowed too.</param>
    public TimeSpan Duration(string name, TimeSpan least, TimeSpan most, bool orNone = false)
    {
        var value = Value(name) ?? "";
        if (!PrometheusDuration.TryParse(value, out var duration))
            Refuse($"{name}: {value} is no duration. Write it as Prometheus does, for example 90s, 2h10m or 7d.");
        else if ((duration < least || duration > most) && !(orNone && duration == TimeSpan.Zero))
            Refuse($"{name}: {value} is out of range. Give {(orNone ? "0, or " : "")}{PrometheusDuration.Format(least)} to {PrometheusDuration.Format(most)}.");
        return duration;
    }

    /// <summary>The words between commas, without doubles.</summary>
    public HashSet<string> List(string name) =>
        (Value(name) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
}

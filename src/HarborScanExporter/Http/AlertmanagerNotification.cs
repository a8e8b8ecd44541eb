using System.Text.Json;
using HarborScanExporter.Findings;

namespace HarborScanExporter.Http;

/// <summary>
/// What Alertmanager's webhook sends, as far as it is of use: which alerts fire. Read in the code of Alertmanager 0.25 to 0.34
/// (notify/webhook); what else the body holds is passed over, in this version and in later ones, and so is a part that is null. Grafana's own
/// alerting sends the same members under a version of its own.
/// </summary>
internal sealed class AlertmanagerNotification
{
    /// <summary>How deep the body may be.</summary>
    public const int MostDepth = 16;

    private const string OfAlertmanager = "4";
    private const string OfGrafana = "1";

    /// <summary>The word of an alert, and of a group of them, that goes on.</summary>
    private const string Firing = "firing";

    private readonly HashSet<string> _firing = new(StringComparer.Ordinal);
    private BadParameter? _bad;

    private AlertmanagerNotification() { }

    /// <summary>The versions of the body: that of Alertmanager, the one that there has been, and that of Grafana.</summary>
    public static IReadOnlyList<string> KnownVersions { get; } = [OfAlertmanager, OfGrafana];

    public string? Version { get; private set; }

    /// <summary>Whether it is a version that is understood: of Grafana's only with the organisation that Grafana names.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>Whether it names alerts at all.</summary>
    public bool HasAlerts { get; private set; }

    /// <summary>The names of the alerts that fire.</summary>
    public IReadOnlySet<string> FiringNames => _firing;

    /// <summary>Reads it; null with the member that is wrong.</summary>
    public static AlertmanagerNotification? Read(JsonElement body, out BadParameter? bad)
    {
        var notification = new AlertmanagerNotification();
        notification.Take(body);
        bad = notification._bad;
        return bad is null ? notification : null;
    }

    private void Take(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            Refuse("body", "Send a notification of Alertmanager, which is an object.");
            return;
        }
        Version = Text(body, "version", "version");
        IsKnown = Version == OfAlertmanager || (Version == OfGrafana && Member(body, "orgId") is { ValueKind: JsonValueKind.Number });
        var isTruncated = IsAboveZero(body, "truncatedAlerts");
        var common = Labels(body, "commonLabels", "commonLabels");
        var status = Text(body, "status", "status");
        TakeAlerts(body);
        // The firing ones of the group may be among those that max_alerts cut off.
        if (isTruncated && status == Firing && common is not null) _firing.Add(common);
    }

    private void TakeAlerts(JsonElement body)
    {
        if (Member(body, "alerts") is not { } alerts) return;
        HasAlerts = true;
        if (alerts.ValueKind != JsonValueKind.Array)
        {
            Refuse("alerts", "Give a list.");
            return;
        }
        foreach (var alert in alerts.EnumerateArray())
        {
            if (alert.ValueKind == JsonValueKind.Null) continue;
            if (alert.ValueKind != JsonValueKind.Object) Refuse("alerts", "Give a list of objects.");
            else if (Labels(alert, "labels", "alerts.labels") is { } name && Text(alert, "status", "alerts.status") == Firing) _firing.Add(name);
        }
    }

    /// <summary>The name of the alert that labels hold; null when there is none.</summary>
    private string? Labels(JsonElement of, string member, string path)
    {
        if (Member(of, member) is not { } labels) return null;
        if (labels.ValueKind == JsonValueKind.Object) return Text(labels, "alertname", $"{path}.alertname");
        Refuse(path, "Give an object.");
        return null;
    }

    private string? Text(JsonElement of, string member, string path)
    {
        if (Member(of, member) is not { } value) return null;
        try
        {
            if (value.ValueKind == JsonValueKind.String) return value.GetString();
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair is JSON and no text.
        }
        Refuse(path, "Give a text.");
        return null;
    }

    private bool IsAboveZero(JsonElement of, string member)
    {
        if (Member(of, member) is not { } value) return false;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out var number)) return number > 0;
        Refuse(member, "Give a whole number.");
        return false;
    }

    /// <summary>What is null counts as not given, and beside something that is wrong nothing more is looked for.</summary>
    private JsonElement? Member(JsonElement of, string name) => _bad is null && of.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private void Refuse(string name, string detail) => _bad ??= new BadParameter(name, detail);
}

using System.Text.Json.Serialization;

namespace HarborScanExporter.Remediation.Wake;

/// <summary>
/// What Alertmanager's webhook sends, as far as it is of use: which alerts fire. Read in the code of Alertmanager 0.25 to 0.34
/// (notify/webhook); what else the body holds is passed over, in this version and in later ones.
/// </summary>
internal sealed record AlertmanagerNotification
{
    /// <summary>The one version of the body that there has been.</summary>
    public const string KnownVersion = "4";

    /// <summary>The word of an alert, and of a group of them, that goes on.</summary>
    public const string Firing = "firing";

    public string? Version { get; init; }

    /// <summary>Firing while one alert of the group is.</summary>
    public string? Status { get; init; }

    /// <summary>How many alerts of the group max_alerts cut off.</summary>
    public ulong TruncatedAlerts { get; init; }

    /// <summary>The labels that all alerts of the group share, also those that were cut off.</summary>
    public AlertLabels CommonLabels { get; init; }

    public IReadOnlyList<FiringAlert>? Alerts { get; init; }

    /// <summary>The names of the alerts that fire.</summary>
    public IEnumerable<string> FiringNames()
    {
        foreach (var alert in Alerts ?? [])
            if (alert.Status == Firing && alert.Labels.Alertname is { } name) yield return name;
        // The firing ones of the group may be among those that were cut off.
        if (TruncatedAlerts > 0 && Status == Firing && CommonLabels.Alertname is { } common) yield return common;
    }

    /// <summary>One alert.</summary>
    internal readonly record struct FiringAlert(string? Status, AlertLabels Labels);

    /// <summary>Its labels.</summary>
    internal readonly record struct AlertLabels(string? Alertname);
}

/// <summary>How the body is read: it is no deeper than its format, whoever sends it.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 16)]
[JsonSerializable(typeof(AlertmanagerNotification))]
internal sealed partial class NotificationJson : JsonSerializerContext;

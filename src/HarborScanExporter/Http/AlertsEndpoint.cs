using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Triggers;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Http;

/// <summary>
/// POST of /api/v1/alerts: Alertmanager's webhook (conventions 4), and Grafana's own. An alert is a hint: it wakes a look, and the rows decide. Alertmanager repeats
/// only what is answered with a 5xx and drops every 4xx for good, so that whatever a repeat cannot mend is a 202 or a 4xx.
/// </summary>
internal sealed class AlertsEndpoint(
    Wakes wakes, RequestRates rates, RepairRun run, RemediationState state, VerdictSightings sightings, PauseFile pause, RemediationCounters counters, ExporterSettings settings,
    IHostApplicationLifetime lifetime)
{
    public const string Path = "/api/v1/alerts";

    /// <summary>A notification of a thousand alerts is smaller.</summary>
    public const long MostBodyBytes = 1024 * 1024;

    private RemediationSettings Remediation => settings.Remediation;

    /// <summary>202 with what follows; 400, 413 or 415 for a body that cannot be used; 503 when the exporter ends.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        counters.Requested();
        var (notification, problem) = await NotificationAsync(context);
        problem ??= ProblemOf(notification!);
        if (problem is not null)
        {
            counters.Reject(problem.Reason);
            await problem.WriteAsync(context);
            return;
        }
        if (Decide(notification!) is not { } answer)
        {
            context.Response.Headers.RetryAfter = "30";
            await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "The exporter ends. Send it again.");
            return;
        }
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.WriteAsync(answer.ToJson(), context.RequestAborted);
    }

    private static async Task<(AlertmanagerNotification? Notification, BodyProblem? Problem)> NotificationAsync(HttpContext context)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, MostBodyBytes, AlertmanagerNotification.MostDepth);
        using var document = body;
        if (problem is not null) return (null, problem);
        return AlertmanagerNotification.Read(document!.RootElement, out var bad) is { } notification
            ? (notification, null)
            : (null, new BodyProblem(StatusCodes.Status400BadRequest, RejectReason.BadBody, $"{bad!.Name}: {bad.Detail}", bad.Name));
    }

    private static BodyProblem? ProblemOf(AlertmanagerNotification notification) => notification switch
    {
        { IsKnown: false } => new BodyProblem(StatusCodes.Status400BadRequest, RejectReason.Version,
            $"The body is of version {(notification.Version is { } version ? JsonBody.Shown(version) : "none")}; this route understands version {AlertmanagerNotification.KnownVersions[0]} of Alertmanager's webhook and version {AlertmanagerNotification.KnownVersions[1]} of Grafana's."),
        { HasAlerts: false } => new BodyProblem(StatusCodes.Status400BadRequest, RejectReason.BadBody, "The body names no alerts. Send a notification of Alertmanager."),
        _ => null,
    };

    /// <summary>What follows; null when nothing can be started any more.</summary>
    private AlertsAnswer? Decide(AlertmanagerNotification notification)
    {
        var firing = notification.FiringNames;
        if (firing.Count == 0) return Rejected(RejectReason.Resolved, AlertsAnswer.Ignored, "No alert in it fires.");
        var allowed = firing.Where(Remediation.Alerts.Contains).ToArray();
        if (allowed.Length == 0)
            return Rejected(RejectReason.NotAllowed, AlertsAnswer.Ignored, $"No alert in it may wake a repair; {Setting.Names.RemediationAlerts} names those that may.");
        if (Remediation.Mode == RemediationMode.Off) return Rejected(RejectReason.Off, AlertsAnswer.Off, $"Repairs are off ({Setting.Names.Remediation}).");
        if (pause.Reason() is { } why)
            return Rejected(RejectReason.Paused, AlertsAnswer.Paused, $"Repairs are paused by a file{(why.Length == 0 ? "" : $": {why}")}. A delivery after its removal wakes them.");
        if (lifetime.ApplicationStopping.IsCancellationRequested || wakes.Add(allowed) is not (var outcome and not WakeOutcome.Closed)) return null;
        // Beyond the rate nothing is lost: the look that is to follow serves this one too.
        if (!rates.Alerts.TryTake(out _)) return Rejected(RejectReason.Rate, AlertsAnswer.Merged, "Too many deliveries within a minute: one look serves them together.");
        return outcome == WakeOutcome.Merged
            ? Answer(AlertsAnswer.Merged, "A look at Harbor was to follow anyway, and serves this delivery too.")
            : Answer(AlertsAnswer.Accepted, run.IsBusy ? "A run is under way; a look at Harbor follows it." : "A look at Harbor follows; the rows decide what is repaired.");
    }

    private AlertsAnswer Rejected(string reason, string status, string message)
    {
        counters.Reject(reason);
        return Answer(status, message);
    }

    private AlertsAnswer Answer(string status, string message) => new()
    {
        Status = status,
        Message = message,
        Mode = Remediation.Mode.Word(),
        Known = AlertsAnswer.KnownPart.Of(sightings, run, state),
    };
}

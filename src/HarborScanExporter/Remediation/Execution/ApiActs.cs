using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.HarborApi;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>Acts of Harbor's API v2.0 (harbor-facts 9), and what its answers mean for the audit.</summary>
internal sealed partial class ApiActs(HarborApiClient api, ILogger<ApiActs>? logger = null)
{
    /// <summary>Asks for one act; see <see cref="Act"/>.</summary>
    public async Task<ActOutcome> DoAsync(PlannedRepair repair, CancellationToken cancellationToken)
    {
        try
        {
            return repair switch
            {
                { Action: RepairAction.StopJob, JobId: { } job } => Of(repair, await api.StopJobAsync(job, cancellationToken)),
                { Action: RepairAction.DeleteRobot, RobotId: { } robot } => Of(repair, await api.DeleteRobotAsync(robot, cancellationToken)),
                { Action: RepairAction.Rescan, Artifact: var (repository, digest, scanType) } =>
                    Of(repair, await api.ScanAsync(repository, digest, scanType, cancellationToken)),
                _ => new ActOutcome(RepairState.Failed, RepairFailure.Other),
            };
        }
        catch (ArgumentException)
        {
            // A row holds a name that would be another route of the API; nothing was asked.
            return new ActOutcome(RepairState.Failed, RepairFailure.Other);
        }
    }

    /// <summary>The audit holds a closed set of reasons; Harbor's own word stands in the log.</summary>
    private ActOutcome Of(PlannedRepair repair, ApiAnswer answer)
    {
        var outcome = Of(repair.Action, answer);
        if (logger is not null && outcome.State is RepairState.Failed or RepairState.Intended)
            LogAnswer(logger, repair.Action.Word(), repair.FindingId, answer.Status is { } status ? $"{status}" : "nothing", answer.Message ?? "without a word");
        return outcome;
    }

    /// <summary>What an answer means.</summary>
    public static ActOutcome Of(RepairAction action, ApiAnswer answer) => (action, answer.Outcome) switch
    {
        (_, ApiOutcome.Done) => new ActOutcome(RepairState.Done, null),
        (RepairAction.DeleteRobot, ApiOutcome.Gone) => new ActOutcome(RepairState.Done, null),
        (RepairAction.Rescan, ApiOutcome.Conflict) => new ActOutcome(RepairState.NoEffect, null),
        (_, ApiOutcome.Denied) => new ActOutcome(RepairState.Failed, RepairFailure.ApiDenied),
        (_, ApiOutcome.Unreachable) => new ActOutcome(RepairState.Failed, RepairFailure.ApiUnreachable),
        // Harbor may have acted: the rows will tell.
        (_, ApiOutcome.Failed or ApiOutcome.Undecided) => new ActOutcome(RepairState.Intended, null),
        _ => new ActOutcome(RepairState.Failed, RepairFailure.ApiRefused),
    };

    [LoggerMessage(34, LogLevel.Warning, "Harbor's API was asked for {Action} of {Finding} and answered {Status}: {Message}")]
    private static partial void LogAnswer(ILogger logger, string action, string finding, string status, string message);
}

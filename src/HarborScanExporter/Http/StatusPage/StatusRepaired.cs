using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Presentation;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>The newest lines of the audit on the status page.</summary>
internal static class StatusRepaired
{
    /// <summary>The table.</summary>
    public static Markup Of(RepairPreview repairs) => $"""
        <h3 id="repaired-title">Newest repairs</h3>
        <table role="table" id="repaired" class="repaired" aria-labelledby="repaired-title">
        <thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">When</th><th scope="col" role="columnheader">What</th><th scope="col" role="columnheader">Outcome</th><th scope="col" role="columnheader">Asked by</th></tr></thead>
        <tbody role="rowgroup">
        {repairs.Newest.Select(repair => Row(repair, repairs.Mode))}</tbody>
        </table>
        """;

    private static Markup Row(AuditRow repair, RemediationMode mode)
    {
        var name = RowName.Of(repair.TaskId, repair.ExecutionId, repair.RobotId) ?? repair.Verdict;
        var change = StatusChange.Of(repair);
        var text = change.Text("to");
        return $"""
            <tr role="row" id="repair-{repair.Id}">
            <td role="cell" class="age"><time datetime="{StatusNumbers.Instant(repair.At)}">{Words.Time(repair.At)}</time></td>
            <td role="cell" class="what"><code>{repair.Action}</code> {name}{StatusRepairs.Change(change)}<span class="quiet subject">{Subject(repair)}</span></td>
            <td role="cell" class="outcome"><span class="tag {Level(repair)}">{Outcome(repair)}</span>{(repair.Verification is { } seen ? Seen(seen) : Markup.Nothing)}
            {(mode == RemediationMode.Execute && Undoing.IsPossible(repair.Action, repair.State) ? StatusConfirmation.Undo(repair.Id, $"{repair.Action} of {name}{(text.Length > 0 ? $": {text}" : "")}") : Markup.Nothing)}</td>
            <td role="cell" class="by">{Actor(repair)}{(repair.Note is { Length: > 0 } note ? Note(note) : Markup.Nothing)}</td>
            </tr>

            """;
    }

    private static string Subject(AuditRow repair) => string.Join(" · ", new[]
    {
        $"repair {repair.Id}",
        repair.UndoOf is { } of ? $"takes repair {of} back" : null,
        repair.TaskId is not null && repair.ExecutionId is { } execution ? $"execution {execution}" : null,
        repair.Type,
        repair.Verdict,
    }.OfType<string>());

    private static string Outcome(AuditRow repair) => repair.State switch
    {
        RepairState.Failed => $"failed: {repair.Failure}",
        RepairState.NoEffect => "no effect",
        RepairState.Undone => "taken back",
        RepairState.Intended => "under way",
        _ => "done",
    };

    private static string Level(AuditRow repair) => repair.State == RepairState.Failed || repair.Verification == "reverted" ? "urgent" : "";

    private static string Actor(AuditRow repair) => repair.Source switch
    {
        RunSource.Alert => $"alert {repair.Actor}",
        RunSource.Verification => "the look whether it held",
        _ => repair.Actor,
    };

    private static Markup Seen(string verification) => $""" <span class="quiet">{verification}</span>""";

    private static Markup Note(string note) => $"""<span class="quiet subject">{note}</span>""";
}

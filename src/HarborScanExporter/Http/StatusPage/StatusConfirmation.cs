using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>The buttons that ask for a repair, and the dialog in which a person confirms it. Both work with script only; what they say is written here.</summary>
internal static class StatusConfirmation
{
    /// <summary>The buttons below a plan that is not empty.</summary>
    /// <param name="plan">The plan that they ask for.</param>
    /// <param name="mode">How far repairs may go.</param>
    public static Markup Buttons(RepairPlan plan, RemediationMode mode)
    {
        // What a person may override is asked in the dialog.
        var isOutage = plan.Blocks.Any(block => block.Reason == SkipReason.Share);
        var isHeld = plan.Blocks.Any(block => block.Reason != SkipReason.Share);
        var count = Words.Count(plan.Repairs.Count, "repair");
        var later = plan.Refusals.Count(refusal => refusal.Reason == SkipReason.NextBatch);
        var what = Below([.. plan.Repairs.GroupBy(repair => repair.Action).OrderBy(group => group.Key).Select(group => $"{Words.Number(group.Count())} {group.Key.Word()}: {Sentence(group.Key)}")]);
        return $"""
            <p class="acts" id="repair-acts">{(mode == RemediationMode.Execute ? Button("execute", "Repair now", $"Write {count}?", $"Each row is looked at once more; what has moved on is left alone.{(later > 0 ? $" {Words.Number(later)} more follow in further batches." : "")} Rows that were written can be taken back here.", what, isOutage, isHeld) : Markup.Nothing)}
            {Button("dry-run", "Try without writing", $"Try {count} without writing?", "The same statements run and are rolled back; Harbor's API is asked for nothing.", what, isOutage, isHeld)}
            <span class="quiet" id="repair-by-hand">Without JavaScript: <code>harbor-scan-exporter repair</code></span></p>
            """;
    }

    /// <summary>The button that asks for a repair to be taken back.</summary>
    /// <param name="id">Its line in the audit.</param>
    /// <param name="what">What it did.</param>
    public static Markup Undo(long id, string what) => $"""
        <button type="button" id="undo-{id}" hidden data-act="undo" data-undo="{id}" data-title="Take repair {id} back?" data-text="The row becomes what it was before, if it is still as the repair left it. The same repair is not done again." data-list="{what}" data-yes="Take it back" aria-label="Undo repair {id}">Undo</button>
        """;

    /// <summary>The dialog, empty; a refresh of the page leaves it as it is.</summary>
    public static Markup Html { get; } = Markup.Trusted("""
        <dialog id="confirm" data-kept aria-labelledby="confirm-title" aria-describedby="confirm-text">
        <form id="confirm-form" method="dialog">
        <h2 id="confirm-title">Confirm</h2>
        <p id="confirm-text"></p>
        <ul id="confirm-list"></ul>
        <label class="choice" id="confirm-share-line" hidden><input type="checkbox" id="confirm-share"> <span>I have looked, and it is no outage: repair although so many scans are stuck.</span></label>
        <label for="confirm-note">Note for the audit</label>
        <input id="confirm-note" maxlength="200" autocomplete="off" placeholder="who, and why">
        <div id="confirm-token-line" hidden>
        <label for="confirm-token">Token</label>
        <input id="confirm-token" type="password" autocomplete="off" spellcheck="false" aria-describedby="confirm-token-help">
        <p id="confirm-token-help" class="quiet">The browser's own sign-in may only read. This is kept for this tab, and forgotten when the tab is closed.</p>
        </div>
        <p id="confirm-problem" class="problem" role="alert"></p>
        <p class="acts"><button type="button" id="confirm-no">Cancel</button> <button id="confirm-yes">Confirm</button></p>
        </form>
        </dialog>
        """);

    private static Markup Button(string act, string label, string title, string text, Markup what, bool isOutage, bool isHeld) => $"""
        <button type="button" id="repair-{act}" hidden data-act="{act}" data-title="{title}" data-text="{text}" data-list="{what}" data-yes="{label}"{(isOutage ? Outage : Markup.Nothing)}{(isHeld ? Disabled : Markup.Nothing)}>{label}</button>
        """;

    /// <summary>Texts of which the dialog makes a line each.</summary>
    private static Markup Below(string[] texts) => $"{texts.Take(1).Select(First)}{texts.Skip(1).Select(Next)}";

    private static Markup First(string text) => $"{text}";

    private static Markup Next(string text) => $"&#xA;{text}";

    private static string Sentence(RepairAction action) => action switch
    {
        RepairAction.StopJob => "Harbor's API stops the job.",
        RepairAction.FinishTask => "the row gets its true final status.",
        RepairAction.RefreshExecution => "the execution is recomputed from its tasks.",
        RepairAction.CloseEmptyExecution => "the execution without tasks becomes Error.",
        RepairAction.FixStatusCode => "the final row gets the code of one.",
        RepairAction.DeleteRobot => "Harbor's API removes the robot account.",
        RepairAction.Rescan => "Harbor's API scans the artifact again.",
        _ => "the old execution is removed with its tasks.",
    };

    private static Markup Outage { get; } = Markup.Trusted(" data-share");

    private static Markup Disabled { get; } = Markup.Trusted(" disabled");
}

using HarborScanExporter.Diagnosis;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>
/// Many stuck scans at once may be an outage (design 3.1, conventions 5.6). A scan that was stuck before another one began or succeeded is left
/// over: since then core and the job service have worked. Such scans leave the count altogether, the stuck ones and the open ones, so that what
/// is newly stuck closes the rule for none of them, and their repair opens it for none of the rest.
/// </summary>
internal sealed class ShareRule
{
    /// <summary>With no more stuck scans than this no share of the open ones is an outage.</summary>
    public const int Floor = 20;

    private readonly Look _look;

    private ShareRule(Look look, string text) => (_look, Text) = (look, text);

    /// <summary>What may be wrong, since when, and what opens it, in a sentence each.</summary>
    public string Text { get; }

    /// <summary>The rule where it holds repairs back; null where it does not.</summary>
    public static ShareRule? Of(Look look, RemediationSettings settings)
    {
        var diagnosed = look.Diagnosed;
        var seen = diagnosed.Tasks.Where(task => task.Judgement.IsStuck).Select(task => FindingId.OfTask(task.Task.Id)).ToLookup(finding => IsLeftOver(look, finding));
        var (stuck, left) = (seen[false].Count(), seen[true].Count());
        var open = diagnosed.Tasks.Count - left;
        if (stuck <= Floor || stuck <= settings.MaxShare * open) return null;
        var since = Words.TimeToSecond(diagnosed.Now - seen[false].Max(finding => look.SeenFor.GetValueOrDefault(finding)));
        var others = left == 0 ? "" : $" (without {Words.Number(left)} that were stuck before a scan last began or succeeded)";
        return new ShareRule(look,
            $"{Words.Number(stuck)} of {Words.Number(open)} open tasks{others} are stuck and no scan has begun or succeeded since {since}, when the first of them was seen so: it may be an outage. "
            + "Start one scan and see it end, or override this after a look (override_share).");
    }

    /// <summary>Whether the repair of a finding is held back.</summary>
    /// <param name="finding">Its id.</param>
    public bool Holds(string finding) => !IsLeftOver(_look, finding);

    private static bool IsLeftOver(Look look, string finding) => look.SeenFor.GetValueOrDefault(finding) > look.LifeAge;
}

using System.Text.Json;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Http;

/// <summary>The body of POST /api/v1/repairs.</summary>
/// <param name="Mode">dry-run or execute.</param>
/// <param name="Filter">Which findings.</param>
/// <param name="Ids">Findings by id; null for all that the filter lets through.</param>
/// <param name="OverrideShare">A person says that so many stuck scans are no outage.</param>
/// <param name="Asked">Who asks, and why.</param>
internal sealed record RepairRequest(RemediationMode Mode, FindingsFilter Filter, IReadOnlySet<string>? Ids, bool OverrideShare, Asker Asked)
{
    private const int MostIds = 1000;

    private static readonly string[] Members = ["mode", "filter", "ids", "override_share", .. RequestMembers.OfAsker];
    private static readonly string[] FilterMembers = ["verdict", "type", "project"];

    /// <summary>Reads it; null with the member that is wrong. What is null counts as not given.</summary>
    public static RepairRequest? Read(JsonElement body, out BadParameter? bad)
    {
        var members = new RequestMembers(body, "", Members);
        var mode = members.Word("mode", [RemediationMode.DryRun.Word(), RemediationMode.Execute.Word()]);
        if (mode is null) members.Refuse("mode", $"Give {RemediationMode.DryRun.Word()} or {RemediationMode.Execute.Word()}.");
        var filter = FilterOf(members);
        var ids = members.Texts("ids", MostIds);
        var overrides = members.Flag("override_share");
        var asker = members.Asker(overrides ? "The share rule is overridden." : null);
        bad = members.Bad;
        if (bad is not null) return null;
        return new RepairRequest(
            mode == RemediationMode.Execute.Word() ? RemediationMode.Execute : RemediationMode.DryRun, filter, ids?.ToHashSet(StringComparer.Ordinal), overrides, asker);
    }

    private static FindingsFilter FilterOf(RequestMembers of)
    {
        if (of.Object("filter", FilterMembers) is not { } members) return FindingsFilter.Everything;
        var filter = FindingsFilter.Of([members.Text("verdict")], [members.Text("type")], [members.Text("project")]);
        if (filter.Bad is { } bad) members.Refuse(bad.Name, bad.Detail);
        of.Take(members);
        return filter;
    }
}

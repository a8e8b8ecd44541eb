using HarborScanExporter.Operations;

namespace HarborScanExporter.Remediation.Requests;

/// <summary>Which findings a plan is asked for; the filter of POST /api/v1/repairs as parameters.</summary>
/// <param name="Filter">The filter.</param>
/// <param name="Ids">Findings by id; null for all that the filter lets through.</param>
internal sealed record PlanQuery(FindingsFilter Filter, IReadOnlySet<string>? Ids)
{
    /// <summary>The parameters' names; only ids may be several.</summary>
    public static IReadOnlyList<string> Parameters { get; } = ["verdict", "type", "project", "id"];

    /// <summary>Reads it; null with the parameter that is wrong.</summary>
    public static PlanQuery? Read(IQueryCollection given, out BadParameter? bad)
    {
        bad = FindingsQuery.Unknown(given, Parameters);
        var filter = new FindingsFilter(Single(given, "verdict", ref bad), Single(given, "type", ref bad), Single(given, "project", ref bad));
        foreach (var (name, word) in new[] { ("verdict", filter with { Type = null }), ("type", filter with { Verdict = null }) })
            if (word.Problem is { } problem) bad ??= new BadParameter(name, JsonBody.Shown(problem, 1000));
        var ids = FindingsQuery.Values(given, "id");
        return bad is null ? new PlanQuery(filter, ids.Count == 0 ? null : ids.ToHashSet(StringComparer.Ordinal)) : null;
    }

    private static string? Single(IQueryCollection given, string name, ref BadParameter? bad) => FindingsQuery.Single(given, name, "Give one, or leave it out.", ref bad);
}

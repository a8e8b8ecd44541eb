using HarborScanExporter.Findings;

namespace HarborScanExporter.Http;

/// <summary>Which findings a plan is asked for; the filter of POST /api/v1/repairs as parameters.</summary>
/// <param name="Filter">The filter.</param>
/// <param name="Ids">Findings by id; null for all that the filter lets through.</param>
internal sealed record PlanQuery(FindingsFilter Filter, IReadOnlySet<string>? Ids)
{
    /// <summary>The parameters' names.</summary>
    public static IReadOnlyList<string> Parameters { get; } = ["verdict", "type", "project", "id"];

    /// <summary>Reads it; null with the parameter that is wrong.</summary>
    public static PlanQuery? Read(IQueryCollection given, out BadParameter? bad)
    {
        bad = FindingsQuery.Unknown(given, Parameters);
        var filter = FindingsFilter.Of(given["verdict"], given["type"], given["project"]);
        if (filter.Bad is { } wrong) bad ??= wrong with { Detail = JsonBody.Shown(wrong.Detail, 1000) };
        var ids = FindingsQuery.Values(given, "id");
        return bad is null ? new PlanQuery(filter, ids.Count == 0 ? null : ids.ToHashSet(StringComparer.Ordinal)) : null;
    }
}

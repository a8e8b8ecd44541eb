using System.Globalization;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Operations;

namespace HarborScanExporter.Remediation.Requests;

/// <summary>Which lines of the audit are asked for.</summary>
/// <param name="Filter">The filter.</param>
/// <param name="Page">From 1.</param>
/// <param name="PageSize">Lines on a page.</param>
internal sealed record HistoryQuery(AuditFilter Filter, int Page, int PageSize)
{
    /// <summary>The parameters' names.</summary>
    public static IReadOnlyList<string> Parameters { get; } = ["state", "action", "task", "page", "page_size"];

    /// <summary>The words of the audit's <c>action</c>.</summary>
    public static IReadOnlyList<string> Actions { get; } = [.. RepairActionWords.All.Select(action => action.Word()), AuditLine.Undo];

    /// <summary>Reads it; null with the parameter that is wrong.</summary>
    public static HistoryQuery? Read(IQueryCollection given, out BadParameter? bad)
    {
        bad = FindingsQuery.Unknown(given, Parameters);
        var filter = new AuditFilter(Word(given, "state", RepairState.All, ref bad), Word(given, "action", Actions, ref bad), Task(given, ref bad));
        var page = FindingsQuery.Number(given, "page", 1, int.MaxValue, 1, ref bad);
        var size = FindingsQuery.Number(given, "page_size", 1, FindingsQuery.MostOnPage, FindingsQuery.DefaultPageSize, ref bad);
        return bad is null ? new HistoryQuery(filter, page, size) : null;
    }

    private static string? Word(IQueryCollection given, string name, IReadOnlyList<string> words, ref BadParameter? bad)
    {
        if (FindingsQuery.Values(given, name) is not { Count: > 0 } values) return null;
        if (values.Count > 1 || !words.Contains(values[0])) bad ??= new BadParameter(name, $"Give one of {string.Join(", ", words)}.");
        return values[0];
    }

    private static long? Task(IQueryCollection given, ref BadParameter? bad)
    {
        if (FindingsQuery.Values(given, "task") is not { Count: > 0 } values) return null;
        if (values.Count == 1 && long.TryParse(values[0], NumberStyles.None, CultureInfo.InvariantCulture, out var task)) return task;
        bad ??= new BadParameter("task", "Give the id of one task.");
        return null;
    }
}

using System.Globalization;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Audit;

namespace HarborScanExporter.Http;

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
        var detail = $"Give one of {string.Join(", ", words)}.";
        var word = FindingsQuery.Single(given, name, detail, ref bad);
        if (word is not null && !words.Contains(word)) bad ??= new BadParameter(name, detail);
        return word;
    }

    private static long? Task(IQueryCollection given, ref BadParameter? bad)
    {
        const string detail = "Give the id of one task.";
        if (FindingsQuery.Single(given, "task", detail, ref bad) is not { } id) return null;
        if (long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var task)) return task;
        bad ??= new BadParameter("task", detail);
        return null;
    }
}

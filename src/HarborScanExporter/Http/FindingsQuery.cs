using System.Globalization;
using HarborScanExporter.Findings;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Http;

/// <summary>Which findings are asked for: a filter and a page. An empty value counts as not given; several are given by commas or by repeating.</summary>
internal sealed record FindingsQuery
{
    /// <summary>The most findings on a page.</summary>
    public const int MostOnPage = 500;

    /// <summary>The findings on a page when nothing else is asked for.</summary>
    public const int DefaultPageSize = 100;

    /// <summary>The parameters' names.</summary>
    public static IReadOnlyList<string> Parameters { get; } = ["verdict", "type", "project", "page", "page_size"];

    public FindingsFilter Filter { get; init; } = FindingsFilter.Everything;

    /// <summary>From 1.</summary>
    public int Page { get; init; } = 1;

    public int PageSize { get; init; } = DefaultPageSize;

    /// <summary>Reads a query; null with the parameter that is wrong.</summary>
    /// <param name="given">The request's query.</param>
    /// <param name="known">Every parameter that the route takes.</param>
    /// <param name="bad">The first parameter that is wrong.</param>
    public static FindingsQuery? Read(IQueryCollection given, IReadOnlyList<string> known, out BadParameter? bad)
    {
        bad = Unknown(given, known);
        var query = new FindingsQuery
        {
            Filter = new FindingsFilter
            {
                Verdicts = Words(given, "verdict", FindingsFilter.VerdictWords, ref bad),
                Types = Words(given, "type", ScanType.All, ref bad),
                Projects = Values(given, "project"),
            },
            Page = Number(given, "page", 1, int.MaxValue, 1, ref bad),
            PageSize = Number(given, "page_size", 1, MostOnPage, DefaultPageSize, ref bad),
        };
        return bad is null ? query : null;
    }

    /// <summary>A parameter that the route does not take; null when there is none.</summary>
    /// <param name="given">The request's query.</param>
    /// <param name="known">Every parameter that the route takes.</param>
    public static BadParameter? Unknown(IQueryCollection given, IReadOnlyList<string> known) =>
        given.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown
            ? new BadParameter(Shown(unknown), $"This route has no such parameter. It takes {string.Join(", ", known)}.")
            : null;

    /// <summary>A number within limits; what is not given is the default.</summary>
    public static int Number(IQueryCollection given, string name, int least, int most, int otherwise, ref BadParameter? bad)
    {
        var detail = most == int.MaxValue ? $"Give one whole number from {least} on." : $"Give one whole number from {least} to {most}.";
        if (Single(given, name, detail, ref bad) is not { } value) return otherwise;
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
        bad ??= new BadParameter(name, detail);
        return otherwise;
    }

    /// <summary>The value of a parameter that has one; null when it is not given, or given more than once, which is wrong even where both are the same.</summary>
    /// <param name="given">The request's query.</param>
    /// <param name="name">The parameter.</param>
    /// <param name="detail">What to give.</param>
    /// <param name="bad">Takes the parameter when it is wrong.</param>
    public static string? Single(IQueryCollection given, string name, string detail, ref BadParameter? bad)
    {
        var values = Values(given, name);
        if (given[name].Count <= 1 && values.Count <= 1) return values.Count == 1 ? values[0] : null;
        bad ??= new BadParameter(name, detail);
        return null;
    }

    /// <summary>The values of a parameter.</summary>
    public static IReadOnlyList<string> Values(IQueryCollection given, string name) =>
        FindingsFilter.Words(given[name]);

    private static IReadOnlyList<string> Words(IQueryCollection given, string name, IReadOnlyList<string> known, ref BadParameter? bad)
    {
        var words = Values(given, name);
        if (words.FirstOrDefault(word => !known.Contains(word)) is { } unknown)
            bad ??= new BadParameter(name, $"{Shown(unknown)} is unknown. Give one of {string.Join(", ", known)}.");
        return words;
    }

    /// <summary>What a stranger wrote, cut to what a message can bear.</summary>
    private static string Shown(string word) => word.Length <= 64 ? word : word[..64] + "...";
}

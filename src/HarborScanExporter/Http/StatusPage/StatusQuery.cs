using System.Globalization;
using HarborScanExporter.Findings;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>In which order the page shows findings.</summary>
internal enum FindingOrder
{
    /// <summary>The most urgent first, the oldest first among equals.</summary>
    Severity,

    /// <summary>The oldest first; those of unknown age last.</summary>
    Oldest,

    /// <summary>The newest first; those of unknown age last.</summary>
    Newest,
}

/// <summary>What the address of the status page asks for.</summary>
/// <param name="Findings">The filter and the page.</param>
/// <param name="Text">Must stand somewhere in the finding; empty for all.</param>
/// <param name="Order">The order.</param>
/// <param name="RefreshSeconds">How often the page asks again; 0 for never.</param>
internal sealed record StatusQuery(FindingsQuery Findings, string Text, FindingOrder Order, int RefreshSeconds)
{
    public const int DefaultRefreshSeconds = 30;

    private const int MostRefreshSeconds = 3600;

    private static readonly string[] Parameters = [.. FindingsQuery.Parameters, "q", "sort", "refresh"];

    private static readonly string[] Orders = [.. Enum.GetNames<FindingOrder>().Select(name => name.ToLowerInvariant())];

    /// <summary>Reads it; null with the parameter that is wrong.</summary>
    public static StatusQuery? Read(IQueryCollection given, out BadParameter? bad)
    {
        var findings = FindingsQuery.Read(given, Parameters, out bad);
        var orders = $"Give one of {string.Join(", ", Orders)}.";
        var sort = FindingsQuery.Single(given, "sort", orders, ref bad);
        if (sort is not null && !Orders.Contains(sort)) bad ??= new BadParameter("sort", orders);
        if (given["q"].Count > 1) bad ??= new BadParameter("q", "Give one text.");
        var refresh = FindingsQuery.Number(given, "refresh", 0, MostRefreshSeconds, DefaultRefreshSeconds, ref bad);
        if (bad is not null) return null;
        return new StatusQuery(findings!, given["q"].ToString().Trim(), sort is null ? FindingOrder.Severity : Enum.Parse<FindingOrder>(sort, ignoreCase: true), refresh);
    }

    /// <summary>The findings that are asked for, in their order, of all pages.</summary>
    /// <param name="findings">All findings, in the order of <see cref="FindingOrder.Severity"/>.</param>
    public IReadOnlyList<Finding> Of(IReadOnlyList<Finding> findings)
    {
        var fitting = findings.Where(finding => Findings.Filter.Fits(finding) && Says(finding));
        return Order switch
        {
            FindingOrder.Oldest => [.. fitting.OrderBy(finding => finding.Since ?? double.MaxValue)],
            FindingOrder.Newest => [.. fitting.OrderByDescending(finding => finding.Since ?? double.MinValue)],
            _ => [.. fitting],
        };
    }

    /// <summary>The address of the same page with another order.</summary>
    public string Sorted(FindingOrder order) => Address(this with { Order = order, Findings = Findings with { Page = 1 } });

    /// <summary>The address of another page.</summary>
    public string OnPage(int page) => Address(this with { Findings = Findings with { Page = page } });

    /// <summary>The address of the same page that asks again so often.</summary>
    public string Refreshing(int seconds) => Address(this with { RefreshSeconds = seconds });

    /// <summary>The address of the same page without filter.</summary>
    public string Unfiltered() => Address(this with { Text = "", Findings = Findings with { Filter = FindingsFilter.Everything, Page = 1 } });

    private static string Address(StatusQuery query)
    {
        List<(string Name, string Value)> parts =
        [
            .. query.Findings.Filter.Verdicts.Select(word => ("verdict", word)),
            .. query.Findings.Filter.Types.Select(word => ("type", word)),
            .. query.Findings.Filter.Projects.Select(word => ("project", word)),
        ];
        if (query.Text.Length > 0) parts.Add(("q", query.Text));
        if (query.Order != FindingOrder.Severity) parts.Add(("sort", query.Order.ToString().ToLowerInvariant()));
        if (query.Findings.Page != 1) parts.Add(("page", query.Findings.Page.ToString(CultureInfo.InvariantCulture)));
        if (query.Findings.PageSize != FindingsQuery.DefaultPageSize) parts.Add(("page_size", query.Findings.PageSize.ToString(CultureInfo.InvariantCulture)));
        if (query.RefreshSeconds != DefaultRefreshSeconds) parts.Add(("refresh", query.RefreshSeconds.ToString(CultureInfo.InvariantCulture)));
        return "?" + string.Join('&', parts.Select(part => $"{part.Name}={Uri.EscapeDataString(part.Value)}"));
    }

    private bool Says(Finding finding) => Text.Length == 0 || new[] { finding.What, finding.Id, finding.Verdict, finding.JobId, finding.Blocked.Text }
        .Concat(finding.Evidence).Concat(finding.Blocked.Artifacts.SelectMany(artifact => new[] { artifact.Repository, artifact.Digest }))
        .Append(finding.ExecutionId?.ToString(CultureInfo.InvariantCulture))
        .Any(text => text?.Contains(Text, StringComparison.OrdinalIgnoreCase) == true);
}

using HarborScanExporter.Findings;

namespace HarborScanExporter.Cli.Check;

/// <summary>The form of what <c>check</c> prints.</summary>
internal enum CheckOutput
{
    /// <summary>For a person.</summary>
    Table,

    /// <summary>The document of GET /api/v1/findings with every finding on one page.</summary>
    Json,

    /// <summary>For the textfile collector of node_exporter.</summary>
    Prometheus,
}

/// <summary>What <c>check</c> was asked for.</summary>
internal sealed record CheckOptions
{
    public CheckOutput Output { get; init; }

    /// <summary>One look, also where a verdict needs two.</summary>
    public bool Quick { get; init; }

    /// <summary>Every finding and every sentence, also where hundreds are alike.</summary>
    public bool All { get; init; }

    public FindingsFilter Filter { get; init; } = FindingsFilter.Everything;

    /// <summary>What is wrong with the options and the mend; null when nothing is.</summary>
    public string? Problem => Filter.Bad?.Detail
        ?? (Output == CheckOutput.Prometheus && !Filter.IsAll ? "--verdict, --type and --project do not go with --output prometheus, which tells everything. Leave them out." : null);
}

using System.Text.RegularExpressions;

namespace HarborScanExporter.Database;

/// <summary>The columns that deploy/sql/01-scraping-role.sql lets the role read, table by table, as the script says them.</summary>
internal static partial class WantedGrants
{
    /// <summary>Table and columns, in the order of the script.</summary>
    public static IReadOnlyList<(string Table, IReadOnlyList<string> Columns)> All { get; } =
    [
        .. Row().Matches(RoleScript.Text(RoleScript.Names[0]))
            .Select(row => (row.Groups["table"].Value, (IReadOnlyList<string>)row.Groups["columns"].Value.Split(", "))),
    ];

    [GeneratedRegex(@"^\s+\('(?<table>[a-z_]+)', '(?<columns>[a-z_, ]+)'\)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Row();
}

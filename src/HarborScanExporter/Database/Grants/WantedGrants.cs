using System.Text.RegularExpressions;

namespace HarborScanExporter.Database.Grants;

/// <summary>What a role may do with the columns of one table.</summary>
/// <param name="Table">The table.</param>
/// <param name="Readable">Columns that it may read.</param>
/// <param name="Writable">Columns that it may change; none for Harbor's tables.</param>
internal sealed record TableGrant(string Table, IReadOnlyList<string> Readable, IReadOnlyList<string> Writable);

/// <summary>What the scripts of deploy/sql grant, table by table, as the scripts say it.</summary>
internal static partial class WantedGrants
{
    /// <summary>The columns that the scraping role may read, in the order of 01-scraping-role.sql.</summary>
    public static IReadOnlyList<(string Table, IReadOnlyList<string> Columns)> All { get; } =
        [.. Rows(RoleScript.ScrapingRole).Select(grant => (grant.Table, grant.Readable))];

    /// <summary>The columns of Harbor's tables that the repairing role may read, in the order of 03-remediation-role.sql.</summary>
    public static IReadOnlyList<TableGrant> Repairing { get; } = [.. Rows(RoleScript.RemediationRole)];

    /// <summary>The audit, harbor_scan.repair: all its columns, which the repairing role reads and writes lines of, and those that it may change.</summary>
    public static TableGrant Audit { get; } = new(
        "repair",
        [.. AuditColumn().Matches(AuditTable().Match(RoleScript.Text(RoleScript.RemediationRole)).Value).Select(column => column.Groups["name"].Value)],
        AuditUpdate().Match(RoleScript.Text(RoleScript.RemediationRole)).Groups["columns"].Value.Split(", "));

    /// <summary>The totals of the audit, harbor_scan.repair_total, which the repairing role writes and the scraping role reads.</summary>
    public static TableGrant AuditTotals { get; } = new("repair_total", ["action", "state", "failure", "verification", "lines"], ["lines"]);

    /// <summary>The functions by which the scraping role reads the attributes of scans; that of SBOMs, which came with Harbor 2.11, is not among them.</summary>
    public static IReadOnlyList<string> ReadingFunctions { get; } = [.. Functions(RoleScript.ScrapingRole).Where(name => name != "named_sbom_reports")];

    /// <summary>The functions by which the repairing role reads, locks, changes and puts back single rows of scans.</summary>
    public static IReadOnlyList<string> RepairingFunctions { get; } = ["task_attributes", "report_sharing", .. Functions(RoleScript.RemediationRole)];

    /// <summary>Those of the sweep.</summary>
    public static IReadOnlyList<string> SweepingFunctions { get; } = [.. Functions(RoleScript.RemediationSweep)];

    private static IEnumerable<string> Functions(string script) => Function().Matches(RoleScript.Text(script)).Select(made => made.Groups["name"].Value);

    private static IEnumerable<TableGrant> Rows(string script) => Row().Matches(RoleScript.Text(script)).Select(row => new TableGrant(
        row.Groups["table"].Value,
        row.Groups["readable"].Value.Split(", "),
        []));

    [GeneratedRegex(@"^\s+\('(?<table>[a-z_]+)', '(?<readable>[a-z_, ]+)'\)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Row();

    [GeneratedRegex(@"create or replace function harbor_scan\.(?<name>[a-z_]+)\(", RegexOptions.ExplicitCapture)]
    private static partial Regex Function();

    [GeneratedRegex(@"^create table if not exists harbor_scan\.repair \(\n(.*\n)+?\);", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex AuditTable();

    [GeneratedRegex(@"^ {4}(?<name>[a-z_]+) ", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex AuditColumn();

    [GeneratedRegex(@"grant update \((?<columns>[a-z_, ]+)\) on harbor_scan\.repair", RegexOptions.ExplicitCapture)]
    private static partial Regex AuditUpdate();
}

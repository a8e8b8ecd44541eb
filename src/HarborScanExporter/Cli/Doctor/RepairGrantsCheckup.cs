using HarborScanExporter.Text;
using HarborScanExporter.Database.Grants;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>Compares what the repairing role may do with what deploy/sql gives it: neither less nor more (conventions 5.11).</summary>
internal static class RepairGrantsCheckup
{
    private const string OurSchema = "harbor_scan";
    private const string Mend = "Run the SQL of 'harbor-scan-exporter sql' again with these settings, as the owner of Harbor's tables.";

    private const string TooMuchSql = $"""
        select privilege || ' on ' || c.relname
        from pg_class c, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as privilege
        where c.relnamespace = (select oid from pg_namespace where nspname = @schema) and c.relname = any(@read)
          and (has_table_privilege(c.oid, privilege) or (privilege in ('INSERT', 'UPDATE') and has_any_column_privilege(c.oid, privilege)))
        union all
        select privilege || ' on harbor_scan.repair'
        from pg_class c, unnest(array['DELETE', 'TRUNCATE']) as privilege
        where c.relnamespace = (select oid from pg_namespace where nspname = 'harbor_scan') and c.relname = 'repair' and has_table_privilege(c.oid, privilege)
        union all
        {GrantsCheckup.SecretsSql}
        order by 1
        """;

    /// <summary>The lines of the repairing role, asked in a session of it.</summary>
    public static async Task<IReadOnlyList<CheckupLine>> RunAsync(Snapshot snapshot, RemediationSettings settings, CancellationToken cancellationToken) =>
    [
        .. await TablesAsync(snapshot, cancellationToken),
        await AuditAsync(snapshot, cancellationToken),
        await ModeAsync(snapshot, cancellationToken),
        await SweepAsync(snapshot, settings, cancellationToken),
        await TooMuchAsync(snapshot, cancellationToken),
    ];

    /// <summary>Whether the scraping role may read the audit, asked in a session of that role.</summary>
    public static async Task<CheckupLine> ScrapedAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        const string name = "audit metrics";
        WantedColumn[] wanted =
        [
            .. from table in new[] { WantedGrants.Audit, WantedGrants.AuditTotals } from column in table.Readable select new WantedColumn(OurSchema, table.Table, column, "select"),
        ];
        var grants = await ColumnGrants.ReadAsync(snapshot, wanted, cancellationToken);
        return grants.All(grant => grant.IsGranted) && await ColumnGrants.MayUseSchemaAsync(snapshot, OurSchema, cancellationToken)
            ? CheckupLine.Ok(name, "The scraping role may read the audit.")
            : CheckupLine.Failed(name, "The scraping role may not read the audit: what was repaired is in no metric.", Mend);
    }

    private static async Task<IReadOnlyList<CheckupLine>> TablesAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        var schema = snapshot.Tables.Schema;
        WantedColumn[] wanted = [.. WantedGrants.Repairing.SelectMany(table => table.Readable.Select(column => new WantedColumn(schema, table.Table, column, "select")))];
        List<CheckupLine> missing = [];
        if (!await ColumnGrants.MayUseSchemaAsync(snapshot, schema, cancellationToken))
            missing.Add(CheckupLine.Failed("repair grant on schema", $"The role may not use the schema {schema}.", Mend));
        // What this Harbor does not have yet nobody can grant.
        var grants = (await ColumnGrants.ReadAsync(snapshot, wanted, cancellationToken)).Where(grant => grant.HasColumn).ToArray();
        foreach (var table in grants.Where(grant => !grant.IsGranted).GroupBy(grant => grant.Wanted.Table))
            missing.Add(CheckupLine.Failed($"repair grant on {table.Key}", $"The role may not {Rights(table)}.", Mend));
        var functions = await FunctionGrants.ReadAsync(snapshot, WantedGrants.RepairingFunctions, cancellationToken);
        if (functions.Where(function => !function.IsGranted).ToArray() is { Length: > 0 } denied)
            missing.Add(CheckupLine.Failed("repair functions", $"The role may not call {string.Join(", ", denied.Select(Called))}.", Mend));
        if (missing.Count > 0) return missing;
        return
        [
            CheckupLine.Ok("repair grants", $"The role may read {Words.Count(grants.Length, "column")} of {Words.Count(grants.Select(grant => grant.Wanted.Table).Distinct().Count(), "table")}"
                + $", and change rows of scans by {Words.Count(functions.Count, "function")} alone."),
        ];
    }

    private static async Task<CheckupLine> AuditAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        const string name = "audit";
        WantedColumn[] wanted =
        [
            .. WantedGrants.Audit.Readable.Select(column => new WantedColumn(OurSchema, WantedGrants.Audit.Table, column, "select")),
            .. WantedGrants.Audit.Readable.Select(column => new WantedColumn(OurSchema, WantedGrants.Audit.Table, column, "insert")),
            .. WantedGrants.Audit.Writable.Select(column => new WantedColumn(OurSchema, WantedGrants.Audit.Table, column, "update")),
        ];
        var grants = await ColumnGrants.ReadAsync(snapshot, wanted, cancellationToken);
        string[] absent = [.. grants.Where(grant => !grant.HasColumn).Select(grant => grant.Wanted.Column).Distinct()];
        if (!grants[0].HasTable) return CheckupLine.Failed(name, "There is no table harbor_scan.repair, and nothing is repaired without a line in it.", Mend);
        if (absent.Length > 0)
        {
            return CheckupLine.Failed(name, $"The table harbor_scan.repair has no {string.Join(", ", absent)}: it is of another version of this exporter.", Mend);
        }
        if (!await ColumnGrants.MayUseSchemaAsync(snapshot, OurSchema, cancellationToken)) return CheckupLine.Failed(name, $"The role may not use the schema {OurSchema}.", Mend);
        if (grants.Where(grant => !grant.IsGranted).ToArray() is { Length: > 0 } denied)
            return CheckupLine.Failed(name, $"Of harbor_scan.repair the role may not {Rights(denied)}.", Mend);
        string[] privileges = ["select", "insert", "update"];
        WantedColumn[] totals = [.. from privilege in privileges from column in WantedGrants.AuditTotals.Readable select new WantedColumn(OurSchema, WantedGrants.AuditTotals.Table, column, privilege)];
        return (await ColumnGrants.ReadAsync(snapshot, totals, cancellationToken)).Any(grant => !grant.IsGranted)
            ? CheckupLine.Failed(name, "There is no table harbor_scan.repair_total that the role may write: the lines of the audit are counted in it for good.", Mend)
            : CheckupLine.Ok(name, "The role may write lines into harbor_scan.repair; none was written.");
    }

    private static async Task<CheckupLine> ModeAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        const string name = "repair read-only view";
        var grants = await ColumnGrants.ReadAsync(snapshot, [new WantedColumn(OurSchema, "read_only", "read_only", "select")], cancellationToken);
        return grants.All(grant => grant.IsGranted)
            ? CheckupLine.Ok(name, "The role may read harbor_scan.read_only.")
            : CheckupLine.Failed(name, "The role may not read harbor_scan.read_only, and nothing is repaired while Harbor's read-only mode is not known.", Mend);
    }

    private static async Task<CheckupLine> SweepAsync(Snapshot snapshot, RemediationSettings settings, CancellationToken cancellationToken)
    {
        const string name = "repair sweep";
        var functions = await FunctionGrants.ReadAsync(snapshot, WantedGrants.SweepingFunctions, cancellationToken);
        string[] has = [.. functions.Where(function => function.IsGranted).Select(Called)];
        string[] lacks = [.. functions.Where(function => !function.IsGranted).Select(Called)];
        if (settings.Sweep)
        {
            return lacks.Length == 0
                ? CheckupLine.Ok(name, "The role may remove executions and tasks, and put them back.")
                : CheckupLine.Failed(name, $"{Setting.Names.RemediationSweep} is on and the role may not call {string.Join(", ", lacks)}.",
                    $"Run deploy/sql/04-remediation-sweep.sql, which 'harbor-scan-exporter sql --remediation-sweep on' prints too, or switch the sweep off.");
        }
        return has.Length == 0
            ? CheckupLine.Ok(name, $"{Setting.Names.RemediationSweep} is off and the role can remove nothing.")
            : CheckupLine.Warning(name, $"{Setting.Names.RemediationSweep} is off and the role may call {string.Join(", ", has)}.", "Revoke what the sweep alone needs, or switch it on.");
    }

    private static async Task<CheckupLine> TooMuchAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        const string name = "repair least privilege";
        await using var command = new NpgsqlCommand(TooMuchSql, snapshot.Connection, snapshot.Transaction);
        command.Parameters.Add(new NpgsqlParameter<string>("schema", snapshot.Tables.Schema));
        command.Parameters.Add(new NpgsqlParameter<string[]>("read", [.. WantedGrants.Repairing.Select(table => table.Table)]));
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<string> tooMuch = [];
        while (await rows.ReadAsync(cancellationToken)) tooMuch.Add(rows.GetString(0));
        return tooMuch.Count == 0
            ? CheckupLine.Ok(name, "The role may write no table of Harbor's itself, and reads no secret.")
            : CheckupLine.Warning(name, $"The role may do more than it needs: {string.Join(", ", tooMuch)}.", GrantsCheckup.LessMend);
    }

    private static string Called(FunctionGrant function) => $"harbor_scan.{function.Name}";

    /// <summary>Such as <c>read id, status; change status</c>.</summary>
    private static string Rights(IEnumerable<ColumnGrant> denied) => string.Join("; ", denied.GroupBy(grant => grant.Wanted.Privilege)
        .Select(rights => $"{(rights.Key == "select" ? "read" : rights.Key == "insert" ? "write" : "change")} {string.Join(", ", rights.Select(grant => grant.Wanted.Column))}"));
}

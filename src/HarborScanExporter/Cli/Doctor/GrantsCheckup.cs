using HarborScanExporter.Database.Grants;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Failures;
using Npgsql;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>Compares what the role may do with what deploy/sql gives it, column by column: neither less nor more.</summary>
internal static class GrantsCheckup
{
    /// <summary>The mend of a role that may do more than it needs.</summary>
    public const string LessMend = "Run the SQL of 'harbor-scan-exporter sql' again, sign in as its role, or revoke these from the role.";

    private const string Tables = "tables";
    private const string Again = "Run the SQL of 'harbor-scan-exporter sql' again, as the owner of Harbor's tables.";

    /// <summary>What no role of this program needs: columns that hold secrets, and the rights of a superuser.</summary>
    public const string SecretsSql = """
        select 'SELECT of ' || c.relname || '.' || a.attname
        from pg_class c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
        where c.relnamespace = (select oid from pg_namespace where nspname = @schema)
          and (c.relname, a.attname) in (
              ('robot', 'secret'), ('robot', 'salt'), ('harbor_user', 'password'), ('scanner_registration', 'access_cred'), ('properties', 'v'),
              ('execution', 'extra_attrs'), ('execution', 'status_message'), ('task', 'extra_attrs'), ('task', 'status_message'))
          and has_column_privilege(c.oid, a.attnum, 'select')
        union all
        select 'SUPERUSER' from pg_roles where rolname = current_user and rolsuper
        """;

    private const string TooMuchSql = $"""
        select privilege || ' on ' || c.relname
        from pg_class c, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as privilege
        where c.relnamespace = (select oid from pg_namespace where nspname = @schema) and c.relname in ('execution', 'task')
          and (has_table_privilege(c.oid, privilege) or (privilege in ('INSERT', 'UPDATE') and has_any_column_privilege(c.oid, privilege)))
        union all
        {SecretsSql}
        order by 1
        """;

    /// <summary>A line for the schema, one for each table, and one for what is too much.</summary>
    public static async Task<IReadOnlyList<CheckupLine>> RunAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        var schema = snapshot.Tables.Schema;
        if (!snapshot.Tables.AreFound)
            return [CheckupLine.Failed(Tables, "No schema of the database holds schema_migrations, execution and task.", FailureReason.Mend(FailureReason.Schema))];
        List<CheckupLine> lines = [CheckupLine.Ok(Tables, $"Harbor's tables stand in the schema {schema}.")];
        if (!await ColumnGrants.MayUseSchemaAsync(snapshot, schema, cancellationToken))
            lines.Add(CheckupLine.Failed("grant on schema", $"The role may not use the schema {schema}.", Again));
        WantedColumn[] wanted = [.. WantedGrants.All.SelectMany(table => table.Columns.Select(column => new WantedColumn(schema, table.Table, column, "select")))];
        foreach (var table in (await ColumnGrants.ReadAsync(snapshot, wanted, cancellationToken)).GroupBy(grant => grant.Wanted.Table))
        {
            var name = $"grant on {table.Key}";
            string[] missing = [.. table.Where(grant => grant is { HasColumn: true, IsGranted: false }).Select(grant => grant.Wanted.Column)];
            string[] absent = [.. table.Where(grant => !grant.HasColumn).Select(grant => grant.Wanted.Column)];
            var without = absent.Length == 0 ? "" : $"; this Harbor has no {string.Join(", ", absent)}";
            lines.Add(!table.First().HasTable ? CheckupLine.Skipped(name, "This Harbor has no such table.")
                : missing.Length > 0 ? CheckupLine.Failed(name, $"The role may not read {string.Join(", ", missing)}.", Again)
                : CheckupLine.Ok(name, $"The role may read its {table.Count() - absent.Length} columns{without}."));
        }
        lines.Add(await AttributesAsync(snapshot, cancellationToken));
        lines.Add(await ReadTooMuchAsync(snapshot, cancellationToken));
        lines.AddRange(await PublicRightsCheckup.RunAsync(snapshot, cancellationToken));
        return lines;
    }

    private static async Task<CheckupLine> AttributesAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        const string name = "grant on attributes";
        var schema = snapshot.Tables.Schema;
        var missing = (await FunctionGrants.ReadAsync(snapshot, WantedGrants.ReadingFunctions, cancellationToken)).Where(function => !function.IsGranted).ToArray();
        if (snapshot.Tables.GuardsAttributes && missing.Length == 0) return CheckupLine.Ok(name, "The role reads the attributes of scans, and of no other job.");
        var columns = await ColumnGrants.ReadAsync(
            snapshot, [new WantedColumn(schema, "execution", "extra_attrs", "select"), new WantedColumn(schema, "task", "extra_attrs", "select")], cancellationToken);
        return columns.All(column => column.IsGranted)
            ? CheckupLine.Warning(name, "The role reads the attributes of every job, and those of garbage collection hold the password of Redis.", Again)
            : CheckupLine.Failed(name, missing.Length > 0
                ? $"The role may not call {string.Join(", ", missing.Select(function => $"harbor_scan.{function.Name}"))}."
                : $"The functions of harbor_scan are not those of the schema {schema}.", Again);
    }

    private static async Task<CheckupLine> ReadTooMuchAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(TooMuchSql, snapshot.Connection, snapshot.Transaction);
        command.Parameters.Add(new NpgsqlParameter<string>("schema", snapshot.Tables.Schema));
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<string> tooMuch = [];
        while (await rows.ReadAsync(cancellationToken)) tooMuch.Add(rows.GetString(0));
        return tooMuch.Count == 0
            ? CheckupLine.Ok("least privilege", "The role can write neither execution nor task, and reads no secret.")
            : CheckupLine.Warning("least privilege", $"The role may do more than it needs: {string.Join(", ", tooMuch)}.",
                LessMend);
    }
}

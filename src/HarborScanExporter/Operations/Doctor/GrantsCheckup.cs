using HarborScanExporter.Database;
using Npgsql;

namespace HarborScanExporter.Operations.Doctor;

/// <summary>Compares what the role may do with what deploy/sql gives it, column by column: neither less nor more.</summary>
internal static class GrantsCheckup
{
    /// <summary>What no role of this program needs: columns that hold secrets, and the rights of a superuser.</summary>
    public const string SecretsSql = """
        select 'SELECT of ' || c.relname || '.' || a.attname
        from pg_class c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
        where c.relnamespace = (select oid from pg_namespace where nspname = 'public')
          and (c.relname, a.attname) in (('robot', 'secret'), ('robot', 'salt'), ('harbor_user', 'password'), ('scanner_registration', 'access_cred'), ('properties', 'v'))
          and has_column_privilege(c.oid, a.attnum, 'select')
        union all
        select 'SUPERUSER' from pg_roles where rolname = current_user and rolsuper
        """;

    private const string TooMuchSql = $"""
        select privilege || ' on ' || c.relname
        from pg_class c, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as privilege
        where c.relnamespace = (select oid from pg_namespace where nspname = 'public') and c.relname in ('execution', 'task')
          and (has_table_privilege(c.oid, privilege) or (privilege in ('INSERT', 'UPDATE') and has_any_column_privilege(c.oid, privilege)))
        union all
        {SecretsSql}
        order by 1
        """;

    /// <summary>A line for the schema, one for each table, and one for what is too much.</summary>
    public static async Task<IReadOnlyList<CheckupLine>> RunAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        const string mend = "Run the SQL of 'harbor-scan-exporter sql' again, as the owner of Harbor's tables.";
        List<CheckupLine> lines = [];
        if (!await ColumnGrants.MayUseSchemaAsync(snapshot, "public", cancellationToken))
            lines.Add(CheckupLine.Failed("grant on schema", "The role may not use the schema public.", mend));
        WantedColumn[] wanted = [.. WantedGrants.All.SelectMany(table => table.Columns.Select(column => new WantedColumn("public", table.Table, column, "select")))];
        foreach (var table in (await ColumnGrants.ReadAsync(snapshot, wanted, cancellationToken)).GroupBy(grant => grant.Wanted.Table))
        {
            var name = $"grant on {table.Key}";
            string[] missing = [.. table.Where(grant => grant is { HasColumn: true, IsGranted: false }).Select(grant => grant.Wanted.Column)];
            string[] absent = [.. table.Where(grant => !grant.HasColumn).Select(grant => grant.Wanted.Column)];
            var without = absent.Length == 0 ? "" : $"; this Harbor has no {string.Join(", ", absent)}";
            lines.Add(!table.First().HasTable ? CheckupLine.Skipped(name, "This Harbor has no such table.")
                : missing.Length > 0 ? CheckupLine.Failed(name, $"The role may not read {string.Join(", ", missing)}.", mend)
                : CheckupLine.Ok(name, $"The role may read its {table.Count() - absent.Length} columns{without}."));
        }
        lines.Add(await ReadTooMuchAsync(snapshot, cancellationToken));
        return lines;
    }

    private static async Task<CheckupLine> ReadTooMuchAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(TooMuchSql, snapshot.Connection, snapshot.Transaction);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<string> tooMuch = [];
        while (await rows.ReadAsync(cancellationToken)) tooMuch.Add(rows.GetString(0));
        return tooMuch.Count == 0
            ? CheckupLine.Ok("least privilege", "The role can write neither execution nor task, and reads no secret.")
            : CheckupLine.Warning("least privilege", $"The role may do more than it needs: {string.Join(", ", tooMuch)}.",
                "Sign in as the role of 'harbor-scan-exporter sql', or revoke these from it.");
    }
}

using HarborScanExporter.Database;
using Npgsql;

namespace HarborScanExporter.Operations.Doctor;

/// <summary>Compares what the role may do with what deploy/sql gives it, column by column: neither less nor more.</summary>
internal static class GrantsCheckup
{
    // The catalog is asked by oid, never by name: a table that is missing, or a schema without USAGE, is an answer and no error.
    private const string WantedSql = """
        select wanted.relation, wanted.name, c.oid is not null, a.attnum is not null, coalesce(has_column_privilege(c.oid, a.attnum, 'select'), false)
        from unnest(@relations, @names) with ordinality as wanted (relation, name, place)
        left join pg_class c on c.relname = wanted.relation and c.relnamespace = (select oid from pg_namespace where nspname = 'public')
        left join pg_attribute a on a.attrelid = c.oid and a.attname = wanted.name and not a.attisdropped
        order by wanted.place
        """;

    private const string TooMuchSql = """
        select privilege || ' on ' || c.relname
        from pg_class c, unnest(array['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) as privilege
        where c.relnamespace = (select oid from pg_namespace where nspname = 'public') and c.relname in ('execution', 'task')
          and (has_table_privilege(c.oid, privilege) or (privilege in ('INSERT', 'UPDATE') and has_any_column_privilege(c.oid, privilege)))
        union all
        select 'SELECT of ' || c.relname || '.' || a.attname
        from pg_class c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
        where c.relnamespace = (select oid from pg_namespace where nspname = 'public')
          and (c.relname, a.attname) in (('robot', 'secret'), ('robot', 'salt'), ('harbor_user', 'password'), ('scanner_registration', 'access_cred'), ('properties', 'v'))
          and has_column_privilege(c.oid, a.attnum, 'select')
        union all
        select 'SUPERUSER' from pg_roles where rolname = current_user and rolsuper
        order by 1
        """;

    private const string SchemaSql = "select has_schema_privilege(oid, 'usage') from pg_namespace where nspname = 'public'";

    /// <summary>A line for the schema, one for each table, and one for what is too much.</summary>
    public static async Task<IReadOnlyList<CheckupLine>> RunAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        const string mend = "Run the SQL of 'harbor-scan-exporter sql' again, as the owner of Harbor's tables.";
        List<CheckupLine> lines = [];
        await using (var usage = new NpgsqlCommand(SchemaSql, snapshot.Connection, snapshot.Transaction))
        {
            if (await usage.ExecuteScalarAsync(cancellationToken) is not true) lines.Add(CheckupLine.Failed("grant on schema", "The role may not use the schema public.", mend));
        }
        foreach (var table in (await ReadAsync(snapshot, cancellationToken)).GroupBy(column => column.Table))
        {
            var name = $"grant on {table.Key}";
            string[] missing = [.. table.Where(column => column is { Exists: true, Granted: false }).Select(column => column.Name)];
            string[] absent = [.. table.Where(column => !column.Exists).Select(column => column.Name)];
            var without = absent.Length == 0 ? "" : $"; this Harbor has no {string.Join(", ", absent)}";
            lines.Add(!table.First().HasTable ? CheckupLine.Skipped(name, "This Harbor has no such table.")
                : missing.Length > 0 ? CheckupLine.Failed(name, $"The role may not read {string.Join(", ", missing)}.", mend)
                : CheckupLine.Ok(name, $"The role may read its {table.Count() - absent.Length} columns{without}."));
        }
        lines.Add(await ReadTooMuchAsync(snapshot, cancellationToken));
        return lines;
    }

    private static async Task<List<Column>> ReadAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        var wanted = WantedGrants.All.SelectMany(table => table.Columns.Select(column => (table.Table, Column: column))).ToArray();
        await using var command = new NpgsqlCommand(WantedSql, snapshot.Connection, snapshot.Transaction);
        command.Parameters.Add(new NpgsqlParameter<string[]>("relations", [.. wanted.Select(column => column.Table)]));
        command.Parameters.Add(new NpgsqlParameter<string[]>("names", [.. wanted.Select(column => column.Column)]));
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<Column> columns = [];
        while (await rows.ReadAsync(cancellationToken))
            columns.Add(new Column(rows.GetString(0), rows.GetString(1), rows.GetBoolean(2), rows.GetBoolean(3), rows.GetBoolean(4)));
        return columns;
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

    private sealed record Column(string Table, string Name, bool HasTable, bool Exists, bool Granted);
}

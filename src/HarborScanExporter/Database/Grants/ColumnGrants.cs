using HarborScanExporter.Database.Session;
using Npgsql;

namespace HarborScanExporter.Database.Grants;

/// <summary>A right that a role should have on one column.</summary>
/// <param name="Schema">The schema of the table.</param>
/// <param name="Table">The table or view.</param>
/// <param name="Column">The column.</param>
/// <param name="Privilege">select, insert or update.</param>
internal sealed record WantedColumn(string Schema, string Table, string Column, string Privilege);

/// <summary>A right that a role should have, and whether it has it.</summary>
/// <param name="Wanted">The right.</param>
/// <param name="HasTable">Whether there is such a table.</param>
/// <param name="HasColumn">Whether it has such a column.</param>
/// <param name="IsGranted">Whether the role of the session has the right.</param>
internal sealed record ColumnGrant(WantedColumn Wanted, bool HasTable, bool HasColumn, bool IsGranted);

/// <summary>Asks PostgreSQL for the rights of the session's role. Nothing is tried.</summary>
internal static class ColumnGrants
{
    // The catalog is asked by oid, never by name: a table that is missing, or a schema without USAGE, is an answer and no error.
    private const string Sql = """
        select wanted.place, c.oid is not null, a.attnum is not null, coalesce(has_column_privilege(c.oid, a.attnum, wanted.privilege), false)
        from unnest(@schemas, @relations, @names, @privileges) with ordinality as wanted (schema, relation, name, privilege, place)
        left join pg_class c on c.relname = wanted.relation and c.relnamespace = (select oid from pg_namespace where nspname = wanted.schema)
        left join pg_attribute a on a.attrelid = c.oid and a.attname = wanted.name and not a.attisdropped
        order by wanted.place
        """;

    private const string SchemaSql = "select coalesce((select has_schema_privilege(oid, 'usage') from pg_namespace where nspname = @schema), false)";

    /// <summary>Each of them with its answer, in the same order.</summary>
    public static async Task<IReadOnlyList<ColumnGrant>> ReadAsync(Snapshot snapshot, IReadOnlyList<WantedColumn> wanted, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, snapshot.Connection, snapshot.Transaction);
        command.Parameters.Add(new NpgsqlParameter<string[]>("schemas", [.. wanted.Select(column => column.Schema)]));
        command.Parameters.Add(new NpgsqlParameter<string[]>("relations", [.. wanted.Select(column => column.Table)]));
        command.Parameters.Add(new NpgsqlParameter<string[]>("names", [.. wanted.Select(column => column.Column)]));
        command.Parameters.Add(new NpgsqlParameter<string[]>("privileges", [.. wanted.Select(column => column.Privilege)]));
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<ColumnGrant> grants = [];
        while (await rows.ReadAsync(cancellationToken))
            grants.Add(new ColumnGrant(wanted[(int)rows.GetInt64(0) - 1], rows.GetBoolean(1), rows.GetBoolean(2), rows.GetBoolean(3)));
        return grants;
    }

    /// <summary>Whether there is such a schema and the role may use it.</summary>
    public static async Task<bool> MayUseSchemaAsync(Snapshot snapshot, string schema, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SchemaSql, snapshot.Connection, snapshot.Transaction);
        command.Parameters.Add(new NpgsqlParameter<string>("schema", schema));
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}

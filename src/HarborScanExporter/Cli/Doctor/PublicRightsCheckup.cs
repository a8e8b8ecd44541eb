using HarborScanExporter.Database.Session;
using Npgsql;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>What everybody who may sign in to the database may do beside the roles of this program: no grant of theirs takes it from them.</summary>
internal static class PublicRightsCheckup
{
    private const string Name = "rights of everybody";

    private const string Sql = """
        select exists (
                   select from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) g where g.grantee = 0 and g.privilege_type = 'CREATE'),
               exists (
                   select from aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) g where g.grantee = 0 and g.privilege_type = 'TEMPORARY'),
               quote_ident(n.nspname), quote_ident(pg_get_userbyid(c.relowner))
        from pg_namespace n
            join pg_class c on c.relnamespace = n.oid and c.relname = 'task'
            join pg_database d on d.datname = current_database()
        where n.nspname = @schema
        """;

    /// <summary>One line; none where there are no tables of Harbor's.</summary>
    public static async Task<IReadOnlyList<CheckupLine>> RunAsync(Snapshot snapshot, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, snapshot.Connection, snapshot.Transaction);
        command.Parameters.Add(new NpgsqlParameter<string>("schema", snapshot.Tables.Schema));
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken)) return [];
        var (creates, temporary, schema, owner) = (row.GetBoolean(0), row.GetBoolean(1), row.GetString(2), row.GetString(3));
        return
        [
            creates
                ? CheckupLine.Warning(Name, $"Everybody who may sign in may create in the schema {schema}, where Harbor's tables stand, also functions that others then call.",
                    $"As the owner of the schema, and so that Harbor keeps the right: grant create on schema {schema} to {owner}; revoke create on schema {schema} from public;")
                : CheckupLine.Ok(Name, $"Not everybody may create in the schema {schema}"
                    + (temporary ? "; everybody may make temporary tables, as PostgreSQL allows by default." : ", nor make temporary tables.")),
        ];
    }
}

using HarborScanExporter.Database.Session;
using Npgsql;

namespace HarborScanExporter.Database.Grants;

/// <summary>A function of deploy/sql, and whether the role of the session may call it.</summary>
/// <param name="Name">Its name, in the schema harbor_scan.</param>
/// <param name="IsThere">Whether there is one.</param>
/// <param name="IsGranted">Whether the role may call it.</param>
internal sealed record FunctionGrant(string Name, bool IsThere, bool IsGranted);

/// <summary>Asks PostgreSQL which functions of ours the session's role may call. None is called.</summary>
internal static class FunctionGrants
{
    private const string Sql = """
        select wanted.name, p.oid is not null, coalesce(has_function_privilege(p.oid, 'execute'), false)
        from unnest(@names) with ordinality as wanted (name, place)
            left join pg_proc p on p.proname = wanted.name and p.pronamespace = (select oid from pg_namespace where nspname = 'harbor_scan')
        order by wanted.place
        """;

    /// <summary>Each of them with its answer, in the same order.</summary>
    public static async Task<IReadOnlyList<FunctionGrant>> ReadAsync(Snapshot snapshot, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, snapshot.Connection, snapshot.Transaction);
        command.Parameters.Add(new NpgsqlParameter<string[]>("names", [.. names]));
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<FunctionGrant> grants = [];
        while (await rows.ReadAsync(cancellationToken)) grants.Add(new FunctionGrant(rows.GetString(0), rows.GetBoolean(1), rows.GetBoolean(2)));
        return grants;
    }
}

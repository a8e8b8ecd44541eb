using Npgsql;

namespace HarborScanExporter.Database.Session;

/// <summary>
/// What shapes the answers of a session, set inside each transaction, so that neither a role's, a database's nor a server's settings do, and that it
/// also holds behind PgBouncer in transaction mode. The encoding is set when a connection is made (<see cref="DataSource"/>).
/// </summary>
internal static class SessionSettings
{
    /// <summary>
    /// The schema that holds these three tables; of several the first in the database's own search_path. The printed SQL asks the same. Only then is it
    /// searched, after PostgreSQL's own, where nobody else can make functions or operators.
    /// </summary>
    private const string PinSql = """
        with words as (
            select p.word, p.place
            from unnest(string_to_array(coalesce((
                select substr(s.setting, 13)
                from pg_db_role_setting r cross join unnest(r.setconfig) as s (setting)
                where r.setrole = 0 and r.setdatabase = (select oid from pg_database where datname = current_database()) and starts_with(s.setting, 'search_path=')),
                'public'), ',')) with ordinality as p (word, place)
        ), homes as (
            select n.nspname::text as name, (select min(w.place) from words w where btrim(w.word) in (n.nspname, quote_ident(n.nspname))) as place
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relname in ('schema_migrations', 'execution', 'task') and c.relkind in ('r', 'p', 'v', 'm', 'f') and not starts_with(n.nspname, 'pg_')
            group by n.nspname
            having count(*) = 3
        ), home as (
            select coalesce((select name from homes order by place nulls last, name limit 1), 'public') as name, exists (select from homes) as is_found,
                   (select string_agg(name, ', ' order by name) from homes having count(*) > 1 and min(place) is null) as several
        )
        select home.name, home.is_found, home.several,
               coalesce((
                   select count(*) = 2 and bool_and(has_function_privilege(p.oid, 'execute') and strpos(p.prosrc, quote_ident(home.name) || '.task') > 0)
                   from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                   where n.nspname = 'harbor_scan' and p.proname in ('task_attributes', 'report_sharing') and has_schema_privilege(n.oid, 'usage')), false),
               set_config('search_path', concat_ws(', ', 'pg_catalog', quote_ident(home.name), 'pg_temp'), true),
               set_config('timezone', 'UTC', true),
               set_config('datestyle', 'ISO, MDY', true),
               set_config('intervalstyle', 'postgres', true),
               set_config('extra_float_digits', '1', true),
               set_config('standard_conforming_strings', 'on', true),
               set_config('bytea_output', 'hex', true),
               set_config('transform_null_equals', 'off', true),
               set_config('array_nulls', 'on', true)
        from home
        """;

    /// <summary>Pins them, sets the limits of the transaction, and tells where Harbor's tables stand; one round trip.</summary>
    /// <param name="connection">An open connection.</param>
    /// <param name="transaction">Its transaction, in which nothing has been done yet.</param>
    /// <param name="limits">Statements that set what bounds the transaction.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    /// <exception cref="UnreadableSchemaException">Harbor's tables stand in several schemas, and nothing tells which are Harbor's.</exception>
    public static async Task<HarborTables> PinAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string limits, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"""
            set local search_path = pg_catalog, pg_temp;
            {limits};
            {PinSql}
            """, connection, transaction);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return row.IsDBNull(2)
            ? new HarborTables(row.GetString(0), row.GetBoolean(1), row.GetBoolean(3))
            : throw new UnreadableSchemaException(
                $"Harbor's tables stand in several schemas of the database: {row.GetString(2)}. Say which are Harbor's: alter database … set search_path = <schema>, public.");
    }
}

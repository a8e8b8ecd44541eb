-- Optional: lets the exporter see Harbor's read-only mode (harbor_scan_read_only).
--
-- Harbor keeps the mode in the table properties, whose other rows hold secrets; this view shows one fact of one row.
-- It lives in a schema of our own and asks by a function, so that no Harbor upgrade meets it. Run it like 01-scraping-role.sql, after it:
--
--   psql -v ON_ERROR_STOP=1 -v role=harbor_scan_exporter -d registry -f 02-read-only-view.sql

set search_path = pg_catalog;

-- The schema of Harbor's tables: the one that holds these three; of several the first in the database's search_path (public when it has none).
do $home$
declare
    path text := coalesce((
        select substr(s.setting, 13)
        from pg_db_role_setting r cross join unnest(r.setconfig) as s (setting)
        where r.setrole = 0 and r.setdatabase = (select oid from pg_database where datname = current_database()) and starts_with(s.setting, 'search_path=')), 'public');
    homes name[];
    first bigint;
begin
    select array_agg(h.nspname order by h.place nulls last, h.nspname), min(h.place)
    into homes, first
    from (
        select n.nspname, (
            select min(p.place)
            from unnest(string_to_array(path, ',')) with ordinality as p (word, place)
            where btrim(p.word) in (n.nspname, quote_ident(n.nspname))) as place
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relname in ('schema_migrations', 'execution', 'task') and c.relkind in ('r', 'p', 'v', 'm', 'f') and not starts_with(n.nspname, 'pg_')
        group by n.nspname
        having count(*) = 3) as h;
    if homes is null then
        raise exception 'No schema of the database % holds schema_migrations, execution and task.', current_database()
            using hint = 'Connect to the database of Harbor, after its first start.';
    end if;
    if cardinality(homes) > 1 and first is null then
        raise exception 'Harbor''s tables stand in several schemas of the database %: %.', current_database(), array_to_string(homes, ', ')
            using hint = format('Say which is Harbor''s: alter database %I set search_path = %I, public;', current_database(), homes[1]);
    end if;
    perform set_config('harbor_scan.schema', homes[1], false);
end
$home$;

do $refuse$
begin
    if to_regnamespace('harbor_scan') is null and not has_database_privilege(current_database(), 'create') then
        raise exception 'The role % may not make the schema harbor_scan in the database %.', current_user, current_database()
            using hint = format('Let the owner of the database run: grant create on database %I to %I;', current_database(), current_user);
    end if;
end
$refuse$;

-- "if not exists" asks for the right to make schemas also where there is one.
do $schema$
begin
    if to_regnamespace('harbor_scan') is null then
        create schema harbor_scan;
    end if;
end
$schema$;

do $mode$
declare
    home name := current_setting('harbor_scan.schema');
    owner name := (select pg_get_userbyid(relowner) from pg_class where oid = to_regclass(format('%I.task', current_setting('harbor_scan.schema'))));
begin
    if owner <> current_user then
        execute format('grant usage, create on schema harbor_scan to %I', owner);
    end if;
    execute format($function$
        create or replace function harbor_scan.is_read_only() returns boolean
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select exists (select from %1$I.properties where k = 'read_only' and lower(v) = 'true')
        $body$
    $function$, home);
    execute format('alter function harbor_scan.is_read_only() owner to %I', owner);
    revoke all on function harbor_scan.is_read_only() from public;
end
$mode$;

create or replace view harbor_scan.read_only with (security_barrier = true) as
select harbor_scan.is_read_only() as read_only;

grant usage on schema harbor_scan to :"role";
grant select on harbor_scan.read_only to :"role";
grant execute on function harbor_scan.is_read_only() to :"role";

reset search_path;

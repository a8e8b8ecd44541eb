-- Optional: a small index of the tasks that are open, in Harbor's own table.
--
-- With it a scrape finds every open task at once, also one that somebody opened again by hand long after its end; without it the next
-- reconciliation does, and everything else is the same. It is a few pages large and costs Harbor this: an update of a task's status, three
-- in the life of a scan, then writes an entry into each index of the table. Harbor's upgrades do not know it and leave it alone.
--
-- Run it as the owner of Harbor's tables; it must not stand inside a transaction, and does not hold up Harbor:
--
--   psql -v ON_ERROR_STOP=1 -d registry -f 05-open-task-index.sql
--
-- When it was interrupted, drop what is left before the next try, and to be rid of it: drop index concurrently harbor_scan_task_open;

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

select format(
    'create index concurrently if not exists harbor_scan_task_open on %I.task (id) where status in (''Pending'', ''Scheduled'', ''Running'')',
    current_setting('harbor_scan.schema'))
\gexec

reset search_path;

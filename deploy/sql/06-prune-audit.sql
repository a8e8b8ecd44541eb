-- Removes old lines of the audit of repairs (harbor_scan.repair), which holds the rows of each repair and grows without bound.
--
-- Run it now and then as the owner of Harbor's tables or a superuser; the roles of the exporter can remove no line:
--
--   psql -v ON_ERROR_STOP=1 -v keep='90 days' -d registry -f 06-prune-audit.sql
--
-- Without keep it is 90 days, and never less than 7. Whatever its age, a line stays
--   * that is not counted yet: an open intent, or a repair that is still to be looked at again,
--   * whose task, execution or robot account may be repaired again: it says how often that was tried, and whether a person took it back,
--   * that another line which stays took back,
--   * that is the newest of a run.
-- What the metrics tell of a removed line stays in harbor_scan.repair_total. A repair whose line is removed cannot be taken back any more.

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

-- Last of all temporary tables, which else come before all others.
select set_config('search_path', format('pg_catalog, %I, pg_temp', current_setting('harbor_scan.schema')), false);

\if :{?keep}
\else
    \set keep '90 days'
\endif

with old as (
    select r.id
    from harbor_scan.repair r
    where r.counted
      and r.at < now() - greatest(:'keep'::interval, interval '7 days')
      and not exists (
          select
          from task t
          where t.id = r.task_id and not coalesce(t.status in ('Success', 'Error', 'Stopped') and t.status_code = 3, false))
      and not exists (
          select
          from execution e
          where e.id = r.execution_id and (
              r.action = 'sweep'
              or not coalesce(e.status in ('Success', 'Error', 'Stopped'), false)
              or exists (
                  select
                  from task t
                  where t.execution_id = e.id and not coalesce(t.status in ('Success', 'Error', 'Stopped') and t.status_code = 3, false))))
      and not exists (select from robot b where b.id = r.robot_id and r.task_id is null)
      and r.id <> (select max(newest.id) from harbor_scan.repair newest where newest.source <> 'verification' and newest.action <> 'undo')
)
delete from harbor_scan.repair r
using old
where r.id = old.id
  and not exists (
      select
      from harbor_scan.repair undo
      where undo.undo_of = r.id and not exists (select from old gone where gone.id = undo.id));

reset search_path;

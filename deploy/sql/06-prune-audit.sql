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
          from public.task t
          where t.id = r.task_id and not coalesce(t.status in ('Success', 'Error', 'Stopped') and t.status_code = 3, false))
      and not exists (
          select
          from public.execution e
          where e.id = r.execution_id and (
              r.action = 'sweep'
              or not coalesce(e.status in ('Success', 'Error', 'Stopped'), false)
              or exists (
                  select
                  from public.task t
                  where t.execution_id = e.id and not coalesce(t.status in ('Success', 'Error', 'Stopped') and t.status_code = 3, false))))
      and not exists (select from public.robot b where b.id = r.robot_id and r.task_id is null)
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

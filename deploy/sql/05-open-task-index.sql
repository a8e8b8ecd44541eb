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

create index concurrently if not exists harbor_scan_task_open on public.task (id) where status in ('Pending', 'Scheduled', 'Running');

reset search_path;

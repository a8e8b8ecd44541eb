-- Only for HARBOR_SCAN_REMEDIATION_SWEEP: lets the repairing role remove old executions with their tasks, and put them back (undo).
--
-- Run it like 03-remediation-role.sql, after it:
--
--   psql -v ON_ERROR_STOP=1 -v remediation_role=harbor_scan_remediation -d registry -f 04-remediation-sweep.sql

set search_path = pg_catalog;

grant delete, insert on public.execution to :"remediation_role";
grant delete, insert on public.task to :"remediation_role";

reset search_path;

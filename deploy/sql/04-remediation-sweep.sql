-- Only for HARBOR_SCAN_REMEDIATION_SWEEP: lets the repairing role remove old executions with their tasks, and put them back (undo).
--
-- Run it like 03-remediation-role.sql, after it:
--
--   psql -v ON_ERROR_STOP=1 -v remediation_role=harbor_scan_remediation -d registry -f 04-remediation-sweep.sql

set search_path = pg_catalog;

select set_config('harbor_scan.remediation_role', :'remediation_role', false);

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

do $grants$
declare
    role name := current_setting('harbor_scan.remediation_role');
    home name := current_setting('harbor_scan.schema');
    owner name := (select pg_get_userbyid(relowner) from pg_class where oid = to_regclass(format('%I.task', current_setting('harbor_scan.schema'))));
    made record;
begin
    -- What an earlier version of this file granted on the tables themselves is taken back.
    execute format('revoke delete, insert on %1$I.execution, %1$I.task from %2$I', home, role);

    -- Harbor's own order: tasks before the execution; while that is locked no task can join it.
    execute format($function$
        create or replace function harbor_scan.lock_old_tasks(execution bigint, most bigint) returns table (id bigint, status text, code bigint, extra_attrs text, image text)
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            select t.id::bigint, t.status::text, t.status_code::bigint, t.extra_attrs::text, (select row_to_json(whole)::text
             from (select t.id, t.execution_id, t.job_id, t.status, t.status_code, t.status_revision, t.status_message, t.run_count,
                          t.extra_attrs::text as extra_attrs, t.creation_time, t.start_time, t.update_time, t.end_time, t.vendor_type) whole)
            from %1$I.task t
            where t.execution_id = $1 and t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            order by t.id
            limit $2
            for update of t skip locked
        $body$
    $function$, home);
    execute format($function$
        create or replace function harbor_scan.lock_old_execution(id bigint, type text, was_status text, was_revision bigint, was_started float8) returns text
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            select (select row_to_json(whole)::text
             from (select e.id, e.vendor_type, e.vendor_id, e.status, e.status_message, e.trigger, e.extra_attrs::text as extra_attrs,
                          e.start_time, e.end_time, e.revision, e.update_time) whole)
            from %1$I.execution e
            where e.id = $1 and e.vendor_type = $2 and e.status = $3 and coalesce(e.revision, 0) = $4 and date_part('epoch', e.start_time) = $5
              and e.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            for update of e skip locked
        $body$
    $function$, home);
    execute format($function$
        create or replace function harbor_scan.remove_execution(id bigint) returns bigint
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            delete from %1$I.task t where t.execution_id = $1 and t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM');
            delete from %1$I.execution e where e.id = $1 and e.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM') returning e.id::bigint
        $body$
    $function$, home);

    -- With their ids and every column as it was.
    execute format($function$
        create or replace function harbor_scan.put_back(before json) returns bigint
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            insert into %1$I.execution (id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, end_time, revision, update_time)
            select r.id, r.vendor_type, r.vendor_id, r.status, r.status_message, r.trigger, r.extra_attrs::json, r.start_time, r.end_time, r.revision, r.update_time
            from json_to_record($1 -> 'execution') as r (
                id bigint, vendor_type text, vendor_id bigint, status text, status_message text, trigger text, extra_attrs text, start_time timestamp,
                end_time timestamp, revision bigint, update_time timestamp)
            where r.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM');
            insert into %1$I.task (id, execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time,
                                   update_time, end_time, vendor_type)
            select r.id, r.execution_id, r.job_id, r.status, r.status_code, r.status_revision, r.status_message, r.run_count, r.extra_attrs::json, r.creation_time,
                   r.start_time, r.update_time, r.end_time, r.vendor_type
            from json_to_recordset($1 -> 'tasks') as r (
                id bigint, execution_id bigint, job_id text, status text, status_code bigint, status_revision bigint, status_message text, run_count bigint,
                extra_attrs text, creation_time timestamp, start_time timestamp, update_time timestamp, end_time timestamp, vendor_type text)
            where r.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM') and r.execution_id = (select (($1 -> 'execution') ->> 'id')::bigint);
            select (($1 -> 'execution') ->> 'id')::bigint
        $body$
    $function$, home);

    -- They run with the rights of whoever owns Harbor's tables, and only for this role.
    for made in
        select p.oid::regprocedure as signature
        from pg_proc p
        where p.pronamespace = to_regnamespace('harbor_scan') and p.proname in ('lock_old_tasks', 'lock_old_execution', 'remove_execution', 'put_back')
    loop
        execute format('alter function %s owner to %I', made.signature, owner);
        execute format('revoke all on function %s from public', made.signature);
        execute format('grant execute on function %s to %I', made.signature, role);
    end loop;
end
$grants$;

reset search_path;

-- Only for repairs (HARBOR_SCAN_REMEDIATION): the role that repairs, and the table in which every repair is written down.
--
-- Run it as the owner of Harbor's tables or a superuser, after 01-scraping-role.sql, and again after each Harbor upgrade:
--
--   psql -v ON_ERROR_STOP=1 -v role=harbor_scan_exporter -v remediation_role=harbor_scan_remediation -v remediation_password='…' \
--        -v database=registry -d registry -f 03-remediation-role.sql
--
-- The role may change no table of Harbor's itself: functions do, which write the columns of scans that a repair writes, and no other column, row or
-- table. It can delete nothing. What 01-scraping-role.sql cannot take from a role that may sign in, this cannot either. An empty password leaves the
-- role's password as it is: set it with \password, which keeps it out of the server's log.

-- What is called below is PostgreSQL's own: before version 15 everybody may put functions of the same names into public.
set search_path = pg_catalog;

select set_config('harbor_scan.role', :'role', false),
       set_config('harbor_scan.remediation_role', :'remediation_role', false),
       set_config('harbor_scan.password', :'remediation_password', false),
       set_config('harbor_scan.database', :'database', false);

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

-- Nothing is changed where a role is one that Harbor or an administrator needs as it is, or where the audit cannot be made.
do $refuse$
declare
    role name := current_setting('harbor_scan.remediation_role');
begin
    if role in (current_user, session_user, current_setting('harbor_scan.role')) then
        raise exception 'The role % is the one that runs this SQL, or the one that scrapes.', role
            using hint = 'Name a role of its own, such as harbor_scan_remediation (HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME).';
    end if;
    if exists (select from pg_roles where rolname = role and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)) then
        raise exception 'The role % is a superuser or may make roles or databases; this SQL would limit it.', role
            using hint = 'Name a role of its own, such as harbor_scan_remediation (HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME).';
    end if;
    if exists (
        select
        from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on pg_has_role(r.oid, c.relowner, 'member')
        where n.nspname = current_setting('harbor_scan.schema') and c.relname in ('schema_migrations', 'execution', 'task') and r.rolname = role) then
        raise exception 'The role % owns Harbor''s tables, or is a member of their owner; this SQL would limit Harbor.', role
            using hint = 'Name a role of its own, such as harbor_scan_remediation (HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME).';
    end if;
    if to_regnamespace('harbor_scan') is null and not has_database_privilege(current_database(), 'create') then
        raise exception 'The role % may not make the schema harbor_scan in the database %.', current_user, current_database()
            using hint = format('Let the owner of the database run: grant create on database %I to %I;', current_database(), current_user);
    end if;
    if to_regprocedure('harbor_scan.task_attributes(bigint[])') is null then
        raise exception 'There is no function harbor_scan.task_attributes, by which the role reads the attributes of scans.'
            using hint = 'Run 01-scraping-role.sql first.';
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

-- The audit. A change of rows and its line here are one transaction; an act of Harbor's API is written here before it is asked for.
-- before and after hold the rows that changed, as {"task": {…}, "execution": {…}}; before a removal (sweep), as {"tasks": […], "execution": {…}}.
create table if not exists harbor_scan.repair (
    id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(),
    run text not null,
    source text not null check (source in ('alert', 'api', 'command', 'verification')),
    actor text not null,
    note text,
    action text not null check (action in (
        'stop_job', 'finish_task', 'refresh_execution', 'close_empty_execution', 'fix_status_code', 'delete_robot', 'rescan', 'sweep', 'undo')),
    state text not null check (state in ('intended', 'done', 'failed', 'no_effect', 'undone')),
    failure text,
    verdict text not null,
    evidence json not null,
    vendor_type text,
    task_id bigint,
    execution_id bigint,
    job_id text,
    robot_id bigint,
    artifact_id bigint,
    revision bigint,
    status text,
    before json,
    after json,
    ended_at timestamptz,
    checks smallint not null default 0,
    verification text check (verification in ('held', 'reverted', 'promoted', 'superseded')),
    undo_of bigint references harbor_scan.repair (id),
    counted boolean not null default false
);

-- An audit of before 06-prune-audit.sql.
alter table harbor_scan.repair add column if not exists counted boolean not null default false;

-- How many lines are alike, of those of which nothing more is to come (counted): what the metrics tell of them stays when they are removed.
create table if not exists harbor_scan.repair_total (
    action text not null,
    state text not null,
    failure text not null,
    verification text not null,
    lines bigint not null,
    primary key (action, state, failure, verification)
);

-- One open intent for one thing at one revision, whoever writes it.
create unique index if not exists repair_intent on harbor_scan.repair
    (action, coalesce(task_id, 0), coalesce(execution_id, 0), coalesce(robot_id, 0), coalesce(revision, 0)) where state = 'intended';
create index if not exists repair_at on harbor_scan.repair (at);
create index if not exists repair_task on harbor_scan.repair (task_id) where task_id is not null;
create index if not exists repair_execution on harbor_scan.repair (execution_id) where execution_id is not null;
create index if not exists repair_robot on harbor_scan.repair (robot_id) where robot_id is not null;
create index if not exists repair_unverified on harbor_scan.repair (ended_at) where state = 'done' and checks < 2
    and action in ('stop_job', 'finish_task', 'refresh_execution', 'close_empty_execution', 'fix_status_code');
create index if not exists repair_uncounted on harbor_scan.repair (action, state, failure, verification) where not counted;
create index if not exists repair_undo on harbor_scan.repair (undo_of) where undo_of is not null;
drop index if exists harbor_scan.repair_told;

-- The exporter counts a few lines at a time; those of an audit that has grown for long are counted here. See AuditTotals in the source.
with settled as (
    update harbor_scan.repair
    set counted = true
    where not counted and state <> 'intended' and (
        at < now() - interval '30 days' or not (
            state = 'done' and checks < 2 and action in ('stop_job', 'finish_task', 'refresh_execution', 'close_empty_execution', 'fix_status_code')))
    returning action, state, coalesce(failure, '') as failure, coalesce(verification, '') as verification
)
insert into harbor_scan.repair_total as total (action, state, failure, verification, lines)
select action, state, failure, verification, count(*)
from settled
group by action, state, failure, verification
on conflict (action, state, failure, verification) do update set lines = total.lines + excluded.lines;

-- Whoever holds its lock repairs. The role that scrapes has no right on it, so that it can hold up no repair.
create table if not exists harbor_scan.repair_lock ();

-- Nothing is repaired while Harbor is read-only: the same view as in 02-read-only-view.sql.
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

do $grants$
declare
    scraper name := current_setting('harbor_scan.role');
    role name := current_setting('harbor_scan.remediation_role');
    password text := current_setting('harbor_scan.password');
    home name := current_setting('harbor_scan.schema');
    owner name := (select pg_get_userbyid(relowner) from pg_class where oid = to_regclass(format('%I.task', current_setting('harbor_scan.schema'))));
    wanted record;
    made record;
begin
    if not exists (select from pg_roles where rolname = role) then
        execute format('create role %I login nosuperuser nocreatedb nocreaterole noinherit', role);
    end if;
    if password <> '' then
        execute format('alter role %I password %L', role, password);
    end if;

    -- Two exporters with two connections each, a command line, and one person with psql.
    execute format('alter role %I connection limit 7', role);
    execute format('alter role %I set statement_timeout = %L', role, '30s');
    execute format('alter role %I set lock_timeout = %L', role, '500ms');
    execute format('alter role %I set idle_in_transaction_session_timeout = %L', role, '60s');
    execute format('grant connect on database %I to %I', current_setting('harbor_scan.database'), role);
    execute format('grant usage on schema %I, harbor_scan to %I', home, role);
    execute format('grant select on harbor_scan.read_only to %I', role);
    execute format('grant execute on function harbor_scan.is_read_only() to %I', role);
    execute format('grant update on harbor_scan.repair_lock to %I', role);
    execute format('grant select, insert on harbor_scan.repair to %I', role);
    execute format('grant update (state, failure, status, before, after, ended_at, checks, verification, counted) on harbor_scan.repair to %I', role);
    execute format('grant select, insert, update on harbor_scan.repair_total to %I', role);

    for wanted in
        select *
        from (values
            ('schema_migrations', 'version, dirty'),
            ('execution', 'id, vendor_type, vendor_id, status, trigger, start_time, end_time, revision, update_time'),
            ('task', 'id, execution_id, job_id, status, status_code, status_revision, run_count, creation_time, start_time, update_time, end_time, vendor_type'),
            ('scan_report', 'uuid, digest, registration_uuid, mime_type, report'),
            ('sbom_report', 'uuid, artifact_id, registration_uuid, mime_type, media_type, report'),
            ('artifact', 'id, project_id, repository_name, digest'),
            ('project', 'project_id, name'),
            ('robot', 'id, project_id, description, creation_time, visible'),
            ('job_queue_status', 'job_type, paused, update_time')
        ) as wanted (relation, readable)
    loop
        if to_regclass(format('%I.%I', home, wanted.relation)) is null then
            raise notice 'This Harbor has no table %: run this file again after the upgrade that brings it.', wanted.relation;
            continue;
        end if;
        -- What an earlier version of this file granted beyond it is taken back.
        execute format('revoke all on %I.%I from %I', home, wanted.relation, role);
        execute format('grant select (%s) on %I.%I to %I', wanted.readable, home, wanted.relation, role);
    end loop;

    if owner <> current_user then
        execute format('grant usage, create on schema harbor_scan to %I', owner);
    end if;
    -- A task of a scan: all its columns as JSON, from which an undo restores. extra_attrs as a text: with a \u0000 in it as JSON no SQL could take the image apart.
    execute format($function$
        create or replace function harbor_scan.task_image(id bigint) returns text
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select (select row_to_json(whole)::text
             from (select t.id, t.execution_id, t.job_id, t.status, t.status_code, t.status_revision, t.status_message, t.run_count,
                          t.extra_attrs::text as extra_attrs, t.creation_time, t.start_time, t.update_time, t.end_time, t.vendor_type) whole)
            from %1$I.task t
            where t.id = $1 and t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
        $body$
    $function$, home);

    -- The fence of every write of a task: the row as it was judged.
    execute format($function$
        create or replace function harbor_scan.lock_task(id bigint, was_status text, was_code bigint, was_revision bigint, was_updated float8) returns text
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            select (select row_to_json(whole)::text
             from (select t.id, t.execution_id, t.job_id, t.status, t.status_code, t.status_revision, t.status_message, t.run_count,
                          t.extra_attrs::text as extra_attrs, t.creation_time, t.start_time, t.update_time, t.end_time, t.vendor_type) whole)
            from %1$I.task t
            where t.id = $1
              and t.status = $2
              and t.status_code = $3
              and coalesce(t.status_revision, 0) = $4
              and case when isfinite(t.update_time) and t.update_time >= '1970-01-01' then date_part('epoch', t.update_time) end is not distinct from $5
              and t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            for update of t skip locked
        $body$
    $function$, home);
    execute format($function$
        create or replace function harbor_scan.write_task(id bigint, was_status text, was_code bigint, was_revision bigint, was_updated float8, status text, code bigint, message text, updated timestamp, ended timestamp) returns text
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            update %1$I.task t
            set status = $6, status_code = $7, status_message = $8, update_time = $9, end_time = $10
            where t.id = $1
              and t.status = $2
              and t.status_code = $3
              and coalesce(t.status_revision, 0) = $4
              and case when isfinite(t.update_time) and t.update_time >= '1970-01-01' then date_part('epoch', t.update_time) end is not distinct from $5
              and t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            returning (select row_to_json(whole)::text
             from (select t.id, t.execution_id, t.job_id, t.status, t.status_code, t.status_revision, t.status_message, t.run_count,
                          t.extra_attrs::text as extra_attrs, t.creation_time, t.start_time, t.update_time, t.end_time, t.vendor_type) whole)
        $body$
    $function$, home);

    -- A task that is still as a repair left it, and only that, can be put back.
    execute format($function$
        create or replace function harbor_scan.task_is_left(id bigint, image json) returns boolean
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select exists (
            select
            from %1$I.task t
            where t.id = $1
              and t.status = ($2 -> 'status') #>> '{}'
              and t.status_code = (($2 -> 'status_code') #>> '{}')::bigint
              and t.status_revision is not distinct from (($2 -> 'status_revision') #>> '{}')::bigint
              and t.status_message is not distinct from (($2 -> 'status_message') #>> '{}')
              and t.update_time is not distinct from (($2 -> 'update_time') #>> '{}')::timestamp
              and t.end_time is not distinct from (($2 -> 'end_time') #>> '{}')::timestamp
              and t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM'))
        $body$
    $function$, home);
    execute format($function$
        create or replace function harbor_scan.lock_left_task(id bigint, image json) returns text
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            select (select row_to_json(whole)::text
             from (select t.id, t.execution_id, t.job_id, t.status, t.status_code, t.status_revision, t.status_message, t.run_count,
                          t.extra_attrs::text as extra_attrs, t.creation_time, t.start_time, t.update_time, t.end_time, t.vendor_type) whole)
            from %1$I.task t
            where t.id = $1
              and t.status = ($2 -> 'status') #>> '{}'
              and t.status_code = (($2 -> 'status_code') #>> '{}')::bigint
              and t.status_revision is not distinct from (($2 -> 'status_revision') #>> '{}')::bigint
              and t.status_message is not distinct from (($2 -> 'status_message') #>> '{}')
              and t.update_time is not distinct from (($2 -> 'update_time') #>> '{}')::timestamp
              and t.end_time is not distinct from (($2 -> 'end_time') #>> '{}')::timestamp
              and t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            for update of t skip locked
        $body$
    $function$, home);
    execute format($function$
        create or replace function harbor_scan.restore_task(id bigint, image json, before json) returns text
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            update %1$I.task t
            set status = ($3 -> 'status') #>> '{}',
                status_code = (($3 -> 'status_code') #>> '{}')::bigint,
                status_message = ($3 -> 'status_message') #>> '{}',
                update_time = (($3 -> 'update_time') #>> '{}')::timestamp,
                end_time = (($3 -> 'end_time') #>> '{}')::timestamp
            where t.id = $1
              and t.status = ($2 -> 'status') #>> '{}'
              and t.status_code = (($2 -> 'status_code') #>> '{}')::bigint
              and t.status_revision is not distinct from (($2 -> 'status_revision') #>> '{}')::bigint
              and t.status_message is not distinct from (($2 -> 'status_message') #>> '{}')
              and t.update_time is not distinct from (($2 -> 'update_time') #>> '{}')::timestamp
              and t.end_time is not distinct from (($2 -> 'end_time') #>> '{}')::timestamp
              and t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            returning (select row_to_json(whole)::text
             from (select t.id, t.execution_id, t.job_id, t.status, t.status_code, t.status_revision, t.status_message, t.run_count,
                          t.extra_attrs::text as extra_attrs, t.creation_time, t.start_time, t.update_time, t.end_time, t.vendor_type) whole)
        $body$
    $function$, home);

    -- An execution of scans. Its revision, Harbor's optimistic lock, only ever rises.
    execute format($function$
        create or replace function harbor_scan.lock_execution(id bigint) returns table (image text, status text)
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            select (select row_to_json(whole)::text
             from (select e.id, e.vendor_type, e.vendor_id, e.status, e.status_message, e.trigger, e.extra_attrs::text as extra_attrs,
                          e.start_time, e.end_time, e.revision, e.update_time) whole), coalesce(e.status, '')::text
            from %1$I.execution e
            where e.id = $1 and e.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            for update of e
        $body$
    $function$, home);
    execute format($function$
        create or replace function harbor_scan.write_execution(id bigint, status text, message text, ended timestamp) returns text
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            update %1$I.execution e
            set status = $2,
                status_message = coalesce($3, e.status_message),
                revision = coalesce(e.revision, 0) + 1,
                update_time = date_trunc('second', now() at time zone 'utc'),
                end_time = $4
            where e.id = $1 and e.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            returning (select row_to_json(whole)::text
             from (select e.id, e.vendor_type, e.vendor_id, e.status, e.status_message, e.trigger, e.extra_attrs::text as extra_attrs,
                          e.start_time, e.end_time, e.revision, e.update_time) whole)
        $body$
    $function$, home);
    execute format($function$
        create or replace function harbor_scan.execution_is_left(id bigint, image json) returns boolean
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select exists (
            select
            from %1$I.execution e
            where e.id = $1
              and e.revision is not distinct from (($2 -> 'revision') #>> '{}')::bigint
              and e.status is not distinct from ($2 -> 'status') #>> '{}'
              and e.status_message is not distinct from (($2 -> 'status_message') #>> '{}')
              and e.update_time is not distinct from (($2 -> 'update_time') #>> '{}')::timestamp
              and e.end_time is not distinct from (($2 -> 'end_time') #>> '{}')::timestamp
              and e.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM'))
        $body$
    $function$, home);
    execute format($function$
        create or replace function harbor_scan.execution_is_before(id bigint, image json) returns boolean
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select exists (
            select
            from %1$I.execution e
            where e.id = $1
              and e.status is not distinct from ($2 -> 'status') #>> '{}'
              and e.status_message is not distinct from (($2 -> 'status_message') #>> '{}')
              and e.update_time is not distinct from (($2 -> 'update_time') #>> '{}')::timestamp
              and e.end_time is not distinct from (($2 -> 'end_time') #>> '{}')::timestamp
              and e.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM'))
        $body$
    $function$, home);
    execute format($function$
        create or replace function harbor_scan.restore_execution(id bigint, image json) returns text
        language sql security definer set search_path = pg_catalog, pg_temp as $body$
            update %1$I.execution e
            set status = ($2 -> 'status') #>> '{}',
                status_message = ($2 -> 'status_message') #>> '{}',
                revision = coalesce(e.revision, 0) + 1,
                update_time = (($2 -> 'update_time') #>> '{}')::timestamp,
                end_time = (($2 -> 'end_time') #>> '{}')::timestamp
            where e.id = $1 and e.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            returning (select row_to_json(whole)::text
             from (select e.id, e.vendor_type, e.vendor_id, e.status, e.status_message, e.trigger, e.extra_attrs::text as extra_attrs,
                          e.start_time, e.end_time, e.revision, e.update_time) whole)
        $body$
    $function$, home);

    -- They run with the rights of whoever owns Harbor's tables, and only for this role.
    for made in
        select p.oid::regprocedure as signature
        from pg_proc p
        where p.pronamespace = to_regnamespace('harbor_scan') and p.proname in ('task_image', 'lock_task', 'write_task', 'task_is_left', 'lock_left_task', 'restore_task', 'lock_execution', 'write_execution', 'execution_is_left', 'execution_is_before', 'restore_execution')
    loop
        execute format('alter function %s owner to %I', made.signature, owner);
        execute format('revoke all on function %s from public', made.signature);
        execute format('grant execute on function %s to %I', made.signature, role);
    end loop;
    execute format('grant execute on function harbor_scan.task_attributes(bigint[]), harbor_scan.report_sharing(text[], bigint[]) to %I', role);

    -- The scraping role reads the audit for its metrics, and the mode.
    execute format('grant usage on schema harbor_scan to %I', scraper);
    execute format('grant select on harbor_scan.repair, harbor_scan.repair_total, harbor_scan.read_only to %I', scraper);
    execute format('grant execute on function harbor_scan.is_read_only() to %I', scraper);
end
$grants$;

select set_config('harbor_scan.password', '', false);
reset search_path;

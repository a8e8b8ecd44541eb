-- Only for repairs (HARBOR_SCAN_REMEDIATION): the role that repairs, and the table in which every repair is written down.
--
-- Run it as the owner of Harbor's tables or a superuser, after 01-scraping-role.sql, and again after each Harbor upgrade:
--
--   psql -v ON_ERROR_STOP=1 -v role=harbor_scan_exporter -v remediation_role=harbor_scan_remediation -v remediation_password='…' \
--        -v database=registry -d registry -f 03-remediation-role.sql
--
-- The role may change the columns that a repair writes and no other; it can delete nothing and is given no right to make a table. An empty
-- password leaves the role's password as it is: set it with \password, which keeps it out of the server's log.

-- What is called below is PostgreSQL's own: before version 15 everybody may put functions of the same names into public.
set search_path = pg_catalog;

select set_config('harbor_scan.role', :'role', false),
       set_config('harbor_scan.remediation_role', :'remediation_role', false),
       set_config('harbor_scan.password', :'remediation_password', false),
       set_config('harbor_scan.database', :'database', false);

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
        where n.nspname = 'public' and c.relname in ('schema_migrations', 'execution', 'task') and r.rolname = role) then
        raise exception 'The role % owns Harbor''s tables, or is a member of their owner; this SQL would limit Harbor.', role
            using hint = 'Name a role of its own, such as harbor_scan_remediation (HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME).';
    end if;
    if to_regnamespace('harbor_scan') is null and not has_database_privilege(current_database(), 'create') then
        raise exception 'The role % may not make the schema harbor_scan in the database %.', current_user, current_database()
            using hint = format('Let the owner of the database run: grant create on database %I to %I;', current_database(), current_user);
    end if;
end
$refuse$;

create schema if not exists harbor_scan;

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

-- Nothing is repaired while Harbor is read-only: the same view as in 02-read-only-view.sql.
create or replace view harbor_scan.read_only with (security_barrier = true) as
select exists (select from public.properties where k = 'read_only' and lower(v) = 'true') as read_only;

do $grants$
declare
    scraper name := current_setting('harbor_scan.role');
    role name := current_setting('harbor_scan.remediation_role');
    password text := current_setting('harbor_scan.password');
    wanted record;
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
    execute format('grant usage on schema public, harbor_scan to %I', role);
    execute format('grant select on harbor_scan.read_only to %I', role);
    execute format('grant select, insert on harbor_scan.repair to %I', role);
    execute format('grant update (state, failure, status, before, after, ended_at, checks, verification, counted) on harbor_scan.repair to %I', role);
    execute format('grant select, insert, update on harbor_scan.repair_total to %I', role);

    for wanted in
        select *
        from (values
            ('schema_migrations', 'version, dirty', null),
            ('execution', 'id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, end_time, revision, update_time',
                'status, revision, update_time, end_time, status_message'),
            ('task', 'id, execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type',
                'status, status_code, update_time, end_time, status_message'),
            ('scan_report', 'uuid, digest, registration_uuid, mime_type, report', null),
            ('sbom_report', 'uuid, artifact_id, registration_uuid, mime_type, media_type, report', null),
            ('artifact', 'id, project_id, repository_name, digest', null),
            ('project', 'project_id, name', null),
            ('robot', 'id, project_id, description, creation_time, visible', null),
            ('job_queue_status', 'job_type, paused, update_time', null)
        ) as wanted (relation, readable, writable)
    loop
        if to_regclass(format('public.%I', wanted.relation)) is null then
            raise notice 'This Harbor has no table %: run this file again after the upgrade that brings it.', wanted.relation;
            continue;
        end if;
        execute format('grant select (%s) on public.%I to %I', wanted.readable, wanted.relation, role);
        if wanted.writable is not null then
            execute format('grant update (%s) on public.%I to %I', wanted.writable, wanted.relation, role);
        end if;
    end loop;

    -- The scraping role reads the audit for its metrics, and the mode.
    execute format('grant usage on schema harbor_scan to %I', scraper);
    execute format('grant select on harbor_scan.repair, harbor_scan.repair_total, harbor_scan.read_only to %I', scraper);
end
$grants$;

select set_config('harbor_scan.password', '', false);
reset search_path;

-- The role that scrapes Harbor's database: it can read what the exporter reads and nothing else, and it can write nothing.
--
-- Run it as the owner of Harbor's tables or a superuser, once, and again after each Harbor upgrade (new tables need new grants):
--
--   psql -v ON_ERROR_STOP=1 -v role=harbor_scan_exporter -v password='…' -v database=registry -d registry -f 01-scraping-role.sql
--
-- An empty password leaves the role's password as it is: set it with \password, which keeps it out of the server's log.
-- ctid is where a row stands: a scrape looks there first for rows that have long been open.
-- robot, scanner_registration and properties hold secrets in other columns: only harmless columns are granted, or none.

-- What is called below is PostgreSQL's own: before version 15 everybody may put functions of the same names into public.
set search_path = pg_catalog;

select set_config('harbor_scan.role', :'role', false),
       set_config('harbor_scan.password', :'password', false),
       set_config('harbor_scan.database', :'database', false);

-- Nothing is changed where the role is one that Harbor or an administrator needs as it is: this makes it read-only.
do $refuse$
declare
    role name := current_setting('harbor_scan.role');
begin
    if role in (current_user, session_user) then
        raise exception 'The role % is the one that runs this SQL, which would make it read-only.', role
            using hint = 'Name a role of the exporter''s own, such as harbor_scan_exporter (HARBOR_DATABASE_USERNAME or --database-username).';
    end if;
    if exists (select from pg_roles where rolname = role and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)) then
        raise exception 'The role % is a superuser or may make roles or databases; this SQL would make it read-only.', role
            using hint = 'Name a role of the exporter''s own, such as harbor_scan_exporter (HARBOR_DATABASE_USERNAME or --database-username).';
    end if;
    if exists (
        select
        from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on pg_has_role(r.oid, c.relowner, 'member')
        where n.nspname = 'public' and c.relname in ('schema_migrations', 'execution', 'task') and r.rolname = role) then
        raise exception 'The role % owns Harbor''s tables, or is a member of their owner; this SQL would make Harbor read-only.', role
            using hint = 'Name a role of the exporter''s own, such as harbor_scan_exporter (HARBOR_DATABASE_USERNAME or --database-username).';
    end if;
end
$refuse$;

do $grants$
declare
    role name := current_setting('harbor_scan.role');
    password text := current_setting('harbor_scan.password');
    wanted record;
begin
    if not exists (select from pg_roles where rolname = role) then
        execute format('create role %I login nosuperuser nocreatedb nocreaterole noinherit', role);
    end if;
    if password <> '' then
        execute format('alter role %I password %L', role, password);
    end if;

    -- Two exporters with three connections each, and one person with psql.
    execute format('alter role %I connection limit 7', role);
    execute format('alter role %I set default_transaction_read_only = on', role);
    execute format('alter role %I set statement_timeout = %L', role, '30s');
    execute format('alter role %I set lock_timeout = %L', role, '500ms');
    execute format('grant connect on database %I to %I', current_setting('harbor_scan.database'), role);
    execute format('grant usage on schema public to %I', role);

    for wanted in
        select *
        from (values
            ('schema_migrations', 'version, dirty'),
            ('execution', 'ctid, id, vendor_type, vendor_id, status, trigger, extra_attrs, start_time, end_time, revision, update_time'),
            ('task', 'ctid, id, execution_id, job_id, status, status_code, status_revision, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type'),
            ('scan_report', 'ctid, uuid, digest, registration_uuid, mime_type, report'),
            ('sbom_report', 'uuid, artifact_id, registration_uuid, mime_type, media_type, report'),
            ('artifact', 'id, project_id, repository_name, digest'),
            ('project', 'project_id, name'),
            ('project_metadata', 'project_id, name, value'),
            ('robot', 'id, project_id, description, creation_time, visible, expiresat'),
            ('job_queue_status', 'job_type, paused, update_time')
        ) as readable (relation, columns)
    loop
        -- sbom_report came with Harbor 2.11, job_queue_status with 2.7.
        if to_regclass(format('public.%I', wanted.relation)) is not null then
            execute format('grant select (%s) on public.%I to %I', wanted.columns, wanted.relation, role);
        else
            raise notice 'This Harbor has no table %: run this file again after the upgrade that brings it.', wanted.relation;
        end if;
    end loop;
end
$grants$;

select set_config('harbor_scan.password', '', false);
reset search_path;

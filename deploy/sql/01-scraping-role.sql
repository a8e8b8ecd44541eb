-- The role that scrapes Harbor's database: of Harbor's tables it can read what the exporter reads and nothing else, and it can write none of them.
--
-- Run it as the owner of Harbor's tables or a superuser, once, and again after each upgrade of Harbor or of the exporter:
--
--   psql -v ON_ERROR_STOP=1 -v role=harbor_scan_exporter -v password='…' -v database=registry -d registry -f 01-scraping-role.sql
--
-- An empty password leaves the role's password as it is: set it with \password, which keeps it out of the server's log.
-- ctid is where a row stands: a scrape looks there first for rows that have long been open.
-- robot, scanner_registration and properties hold secrets in other columns: only harmless columns are granted, or none. The attributes of scans are
-- read by functions, as those of other jobs hold passwords. Views would do too, but stand in the way of an upgrade that changes a column's type.
--
-- What this cannot take from a role that may sign in: its limits (statement_timeout, lock_timeout, read-only transactions) are defaults that it can
-- set anew; it can keep a transaction open, for which a migration of Harbor waits; it can make large objects; and temporary tables and objects in
-- Harbor's schema, where PUBLIC may, which 'harbor-scan-exporter doctor' says.

-- What is called below is PostgreSQL's own: before version 15 everybody may put functions of the same names into public.
set search_path = pg_catalog;

select set_config('harbor_scan.role', :'role', false),
       set_config('harbor_scan.password', :'password', false),
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
        where n.nspname = current_setting('harbor_scan.schema') and c.relname in ('schema_migrations', 'execution', 'task') and r.rolname = role) then
        raise exception 'The role % owns Harbor''s tables, or is a member of their owner; this SQL would make Harbor read-only.', role
            using hint = 'Name a role of the exporter''s own, such as harbor_scan_exporter (HARBOR_DATABASE_USERNAME or --database-username).';
    end if;
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

do $grants$
declare
    role name := current_setting('harbor_scan.role');
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

    -- Two exporters with three connections each, and one person with psql.
    execute format('alter role %I connection limit 7', role);
    execute format('alter role %I set default_transaction_read_only = on', role);
    execute format('alter role %I set statement_timeout = %L', role, '30s');
    execute format('alter role %I set lock_timeout = %L', role, '500ms');
    execute format('grant connect on database %I to %I', current_setting('harbor_scan.database'), role);
    execute format('grant usage on schema %I, harbor_scan to %I', home, role);

    for wanted in
        select *
        from (values
            ('schema_migrations', 'version, dirty'),
            ('execution', 'ctid, id, vendor_type, vendor_id, status, trigger, start_time, end_time, revision, update_time'),
            ('task', 'ctid, id, execution_id, job_id, status, status_code, status_revision, run_count, creation_time, start_time, update_time, end_time, vendor_type'),
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
        if to_regclass(format('%I.%I', home, wanted.relation)) is not null then
            -- What an earlier version of this file granted beyond it is taken back.
            execute format('revoke all on %I.%I from %I', home, wanted.relation, role);
            execute format('grant select (%s) on %I.%I to %I', wanted.columns, home, wanted.relation, role);
        else
            raise notice 'This Harbor has no table %: run this file again after the upgrade that brings it.', wanted.relation;
        end if;
    end loop;

    if owner <> current_user then
        execute format('grant usage, create on schema harbor_scan to %I', owner);
    end if;
    -- What scans name: the attributes of other jobs, such as garbage collection, hold passwords.
    execute format($function$
        create or replace function harbor_scan.task_attributes(ids bigint[]) returns table (id bigint, extra_attrs text)
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select t.id::bigint, t.extra_attrs::text
            from %1$I.task t
            where t.id = any ($1) and t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
        $body$
    $function$, home);
    execute format($function$
        create or replace function harbor_scan.execution_attributes(ids bigint[]) returns table (id bigint, extra_attrs text)
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select e.id::bigint, e.extra_attrs::text
            from %1$I.execution e
            where e.id = any ($1) and e.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
        $body$
    $function$, home);

    -- Executions below an id, the newest first; a scan-all names no artifact.
    execute format($function$
        create or replace function harbor_scan.executions_below(before bigint, types text[], rows integer)
            returns table (id bigint, vendor_type text, started float8, extra_attrs text)
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select e.id::bigint, e.vendor_type::text, date_part('epoch', e.start_time), case when e.vendor_type <> 'SCAN_ALL' then e.extra_attrs::text end
            from %1$I.execution e
            where e.id < $1 and e.vendor_type = any ($2) and e.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
            order by e.id desc
            limit $3
        $body$
    $function$, home);

    -- Which other tasks name a report, by Harbor's index of what tasks name.
    execute format($function$
        create or replace function harbor_scan.report_sharing(uuids text[], tasks bigint[]) returns table (uuid text, task bigint, next_created float8, newest_execution bigint)
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select n.uuid, n.task, date_part('epoch', min(t.creation_time) filter (where t.id > n.task)),
                   (max(t.execution_id) filter (where t.id > n.task))::bigint
            from unnest($1, $2) as n (uuid, task)
                join lateral (
                    select o.id, o.execution_id, o.creation_time
                    from %1$I.task o
                    where (o.extra_attrs::jsonb -> 'report_uuids') @> jsonb_build_array(n.uuid) and o.id <> n.task
                ) t on true
            group by n.uuid, n.task
        $body$
    $function$, home);

    -- How many reports a task names. A value that is no array, or that holds \u0000, must not fail the statement: it is read as a text.
    execute format($function$
        create or replace function harbor_scan.named_scan_reports() returns bigint
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select count(distinct r.uuid)
            from %1$I.task t
                cross join unnest(string_to_array(split_part(split_part(split_part(t.extra_attrs::text, '"report_uuids"', 2), ']', 1), '[', 2), ',')) as n (uuid)
                join %1$I.scan_report r on r.uuid = btrim(n.uuid, E' \t\r\n"')
            where t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM') and ltrim(split_part(t.extra_attrs::text, '"report_uuids"', 2), E': \t\r\n') like '[%%'
        $body$
    $function$, home);
    if to_regclass(format('%I.sbom_report', home)) is not null then
    execute format($function$
        create or replace function harbor_scan.named_sbom_reports() returns bigint
        language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
            select count(distinct r.uuid)
            from %1$I.task t
                cross join unnest(string_to_array(split_part(split_part(split_part(t.extra_attrs::text, '"report_uuids"', 2), ']', 1), '[', 2), ',')) as n (uuid)
                join %1$I.sbom_report r on r.uuid = btrim(n.uuid, E' \t\r\n"')
            where t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM') and ltrim(split_part(t.extra_attrs::text, '"report_uuids"', 2), E': \t\r\n') like '[%%'
        $body$
    $function$, home);
    end if;

    -- They run with the rights of whoever owns Harbor's tables, and only for these roles.
    for made in
        select p.oid::regprocedure as signature
        from pg_proc p
        where p.pronamespace = to_regnamespace('harbor_scan') and p.proname in ('task_attributes', 'execution_attributes', 'executions_below', 'report_sharing', 'named_scan_reports', 'named_sbom_reports')
    loop
        execute format('alter function %s owner to %I', made.signature, owner);
        execute format('revoke all on function %s from public', made.signature);
        execute format('grant execute on function %s to %I', made.signature, role);
    end loop;
end
$grants$;

select set_config('harbor_scan.password', '', false);
reset search_path;

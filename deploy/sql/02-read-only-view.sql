-- Optional: lets the exporter see Harbor's read-only mode (harbor_scan_read_only).
--
-- Harbor keeps the mode in the table properties, whose other rows hold secrets; this view shows one fact of one row.
-- It lives in a schema of our own, so that no Harbor upgrade meets it. Run it like 01-scraping-role.sql, after it:
--
--   psql -v ON_ERROR_STOP=1 -v role=harbor_scan_exporter -d registry -f 02-read-only-view.sql

set search_path = pg_catalog;

do $refuse$
begin
    if to_regnamespace('harbor_scan') is null and not has_database_privilege(current_database(), 'create') then
        raise exception 'The role % may not make the schema harbor_scan in the database %.', current_user, current_database()
            using hint = format('Let the owner of the database run: grant create on database %I to %I;', current_database(), current_user);
    end if;
end
$refuse$;

create schema if not exists harbor_scan;

create or replace view harbor_scan.read_only with (security_barrier = true) as
select exists (select from public.properties where k = 'read_only' and lower(v) = 'true') as read_only;

grant usage on schema harbor_scan to :"role";
grant select on harbor_scan.read_only to :"role";

reset search_path;

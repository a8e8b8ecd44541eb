using System.Globalization;
using Npgsql;

namespace HarborSimulator.Schema;

/// <summary>The tables of Harbor's database that have to do with scans, exactly as each release leaves them.</summary>
public static class HarborSchema
{
    /// <summary>
    /// Creates the tables, indexes and constraints of a release, as the role of the connection, and writes its <c>schema_migrations</c> row.
    /// One transaction: nothing stays when it fails.
    /// </summary>
    /// <exception cref="PostgresException">42P07: one of the tables is already there.</exception>
    public static async Task CreateAsync(NpgsqlConnection connection, HarborRelease release, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(release);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(SqlOf(release), connection, transaction);
        await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>The schema version that the database says it has, or null where there is no <c>schema_migrations</c> in its search path.</summary>
    public static async Task<int?> VersionOfAsync(NpgsqlConnection connection, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        await using (var exists = new NpgsqlCommand("select to_regclass('schema_migrations') is not null", connection))
        {
            if (await exists.ExecuteScalarAsync(cancellationToken) is not true) return null;
        }
        await using var read = new NpgsqlCommand("select version from schema_migrations", connection);
        return await read.ExecuteScalarAsync(cancellationToken) is long version ? checked((int)version) : null;
    }

    /// <summary>The statements that <see cref="CreateAsync"/> runs.</summary>
    public static string SqlOf(HarborRelease release)
    {
        ArgumentNullException.ThrowIfNull(release);
        var version = release.SchemaVersion;
        string Since(int first, string sql) => version >= first ? sql : "";
        string Width(int widened) => version >= widened ? "bigint" : "integer";
        string Serial(int widened) => version >= widened ? "bigserial" : "serial";

        return $"""
            create table schema_migrations (
                version bigint not null primary key,
                dirty boolean not null
            );
            insert into schema_migrations (version, dirty) values ({version.ToString(CultureInfo.InvariantCulture)}, false);

            create function update_update_time_at_column() returns trigger language plpgsql as $$
            begin
                new.update_time = now();
                return new;
            end;
            $$;

            create table project_metadata (
                id serial primary key, project_id integer not null, name varchar(255) not null, value varchar(255),
                creation_time timestamp default current_timestamp, update_time timestamp default current_timestamp,
                constraint unique_project_id_and_name unique (project_id, name)
            );
            create table properties (
                id serial primary key not null,
                k varchar(64) not null unique,
                v text not null
            );

            create table harbor_user (
                user_id serial primary key not null,
                username varchar(255) unique,
                email varchar(255) unique,
                password varchar(40) not null,
                realname varchar(255) not null,
                deleted boolean not null default false,
                salt varchar(40) default null,
                sysadmin_flag boolean not null default false,
                creation_time timestamp default current_timestamp,
                update_time timestamp default current_timestamp
            );

            create table project (
                project_id serial primary key not null,
                owner_id integer not null,
                name varchar(255) not null,
                creation_time timestamp default current_timestamp,
                update_time timestamp default current_timestamp,
                deleted boolean not null default false,
                registry_id integer,
                constraint project_owner_id_fkey foreign key (owner_id) references harbor_user (user_id),
                constraint project_name_key unique (name)
            );

            create table execution (
                id serial not null,
                vendor_type varchar(64) not null,
                vendor_id integer,
                status varchar(16),
                status_message text,
                trigger varchar(16) not null,
                extra_attrs json,
                start_time timestamp default current_timestamp,
                end_time timestamp,
                revision integer,
                update_time timestamp,
                constraint execution_pkey primary key (id)
            );

            create table task (
                id serial not null,
                execution_id integer not null,
                job_id varchar(64),
                status varchar(16) not null,
                status_code integer not null,
                status_revision {Width(181)},
                status_message text,
                run_count integer,
                extra_attrs json,
                creation_time timestamp default current_timestamp,
                start_time timestamp,
                update_time timestamp,
                end_time timestamp,
                vendor_type varchar(64) not null,
                constraint task_pkey primary key (id),
                constraint task_execution_id_fkey foreign key (execution_id) references execution (id)
            );
            {Since(51, "create index task_execution_id_idx on task (execution_id);")}
            {Since(80, "create index idx_task_job_id on task (job_id);")}
            {Since(90, """
                create index idx_execution_vendor_type_vendor_id on execution (vendor_type, vendor_id);
                create index idx_execution_start_time on execution (start_time);
                """)}
            {Since(111, "create index idx_task_extra_attrs_report_uuids on task using gin ((extra_attrs::jsonb -> 'report_uuids'));")}

            create table schedule (
                id serial not null,
                creation_time timestamp default current_timestamp,
                update_time timestamp default current_timestamp,
                vendor_type varchar(64),
                vendor_id integer,
                cron varchar(64),
                callback_func_name varchar(128),
                callback_func_param text,
                cron_type varchar(64),
                extra_attrs json,
                {Since(52, $"revision {Width(181)},")}
                constraint schedule_pkey primary key (id),
                constraint unique_schedule unique (vendor_type, vendor_id)
            );

            create table scanner_registration (
                id serial primary key not null,
                uuid varchar(64) unique not null,
                url varchar(256) unique not null,
                name varchar(128) unique not null,
                description varchar(1024) null,
                auth varchar(16) not null,
                access_cred varchar(512) null,
                disabled boolean not null default false,
                is_default boolean not null default false,
                use_internal_addr boolean not null default false,
                immutable boolean not null default false,
                skip_cert_verify boolean not null default false,
                create_time timestamp default current_timestamp,
                update_time timestamp default current_timestamp
            );

            create table scan_report (
                id serial primary key not null,
                uuid varchar(64) unique not null,
                digest varchar(256) not null,
                registration_uuid varchar(64) not null,
                mime_type varchar(256) not null,
                report json,
                {Since(120, """
                    critical_cnt bigint,
                    high_cnt bigint,
                    medium_cnt bigint,
                    low_cnt bigint,
                    none_cnt bigint,
                    unknown_cnt bigint,
                    fixable_cnt bigint,
                    """)}
                unique (digest, registration_uuid, mime_type)
            );

            create table vulnerability_record (
                id serial primary key not null,
                cve_id text not null default '',
                registration_uuid text not null default '',
                package text not null default '',
                package_version text not null default '',
                severity text not null default '',
                constraint fk_registration_uuid foreign key (registration_uuid) references scanner_registration (uuid) on delete cascade
            );

            create table report_vulnerability_record (
                id serial primary key not null,
                report_uuid varchar(64) not null default '',
                vuln_record_id bigint not null default 0,
                constraint fk_report_uuid foreign key (report_uuid) references scan_report (uuid) on delete cascade
            );
            {Since(140, """

                create table sbom_report (
                    id serial primary key not null,
                    uuid varchar(64) unique not null,
                    artifact_id integer not null,
                    registration_uuid varchar(64) not null,
                    mime_type varchar(256) not null,
                    media_type varchar(256) not null,
                    report json,
                    unique (artifact_id, registration_uuid, mime_type, media_type)
                );
                """)}

            create table artifact (
                id serial primary key not null,
                project_id integer not null,
                repository_name varchar(255) not null,
                digest varchar(255) not null,
                type varchar(255) not null,
                pull_time timestamp,
                push_time timestamp,
                repository_id integer not null,
                media_type varchar(255) not null,
                manifest_media_type varchar(255) not null,
                size bigint,
                extra_attrs text,
                annotations jsonb,
                icon varchar(255),
                {Since(140, "artifact_type varchar(255) not null,")}
                constraint unique_artifact unique (repository_id, digest)
            );
            {Since(53, "create index idx_artifact_push_time on artifact (push_time);")}
            {Since(81, "create index idx_artifact_repository_name on artifact (repository_name);")}
            {Since(90, "create index idx_artifact_digest_project_id on artifact (digest, project_id);")}

            create table robot (
                id {Serial(190)} primary key not null,
                name varchar(255),
                description varchar(1024),
                project_id integer,
                expiresat bigint,
                disabled boolean not null default false,
                creation_time timestamp default current_timestamp,
                update_time timestamp default current_timestamp,
                visible boolean not null default true,
                secret varchar(2048),
                salt varchar(64),
                duration integer,
                {Since(150, $"creator_ref {Width(190)} default 0, creator_type varchar(255),")}
                constraint unique_robot unique (name, project_id)
            );
            {Since(190, "alter sequence robot_id_seq maxvalue 9007199254740991;")}
            create trigger robot_update_time_at_modtime before update on robot for each row execute procedure update_update_time_at_column();

            create table permission_policy (
                id {Serial(170)} primary key not null,
                scope varchar(255) not null,
                resource varchar(255),
                action varchar(255),
                effect varchar(255),
                creation_time timestamp default current_timestamp,
                constraint unique_rbac_policy unique (scope, resource, action, effect)
            );

            create table role_permission (
                id {Serial(170)} primary key not null,
                role_type varchar(255) not null,
                role_id {Width(190)} not null,
                permission_policy_id {Width(170)} not null,
                creation_time timestamp default current_timestamp,
                constraint unique_role_permission unique (role_type, role_id, permission_policy_id)
            );
            {Since(100, """

                create table job_queue_status (
                    id serial primary key not null,
                    job_type varchar(256) not null unique,
                    paused boolean not null default false,
                    update_time timestamp with time zone not null default current_timestamp
                );
                """)}
            """;
    }
}

using System.Globalization;

namespace HarborScanExporter.Tests.Support;

/// <summary>
/// Writes rows as facts about the past: every time is so long ago by the database's clock. The defaults are those of a row that Harbor
/// has just made.
/// </summary>
internal sealed class Seed(TestHarbor harbor)
{
    /// <summary>Harbor's encoding of an empty time in a row that a hook has touched.</summary>
    public const string ZeroTime = "'0001-01-01 00:00:00'::timestamp";

    /// <summary>A time so long ago, as a SQL expression, in whole seconds as hooks write them.</summary>
    public static string Ago(TimeSpan age) => $"date_trunc('second', now() at time zone 'utc' - interval '{age.TotalSeconds.ToString(CultureInfo.InvariantCulture)} seconds')";

    /// <summary>A revision so long ago.</summary>
    public static string RevisionAgo(TimeSpan age) => $"extract(epoch from {Ago(age)})::bigint";

    public async Task<long> ExecutionAsync(string type = "IMAGE_SCAN", string? status = "Running", TimeSpan? started = null, string trigger = "MANUAL",
        long vendorId = 1, string end = "null", string extraAttributes = "{}", string? update = null, long? id = null)
    {
        var start = Ago(started ?? TimeSpan.Zero);
        return await ScalarAsync($"""
            insert into execution (id, vendor_type, vendor_id, status, trigger, extra_attrs, start_time, end_time, revision, update_time)
            values ({id?.ToString(CultureInfo.InvariantCulture) ?? "nextval('execution_id_seq')"}, '{type}', {vendorId}, {Quote(status)}, '{trigger}', {Quote(extraAttributes)}, {start}, {end}, 0, {update ?? start})
            returning id::bigint
            """);
    }

    public async Task<long> TaskAsync(long execution, string type = "IMAGE_SCAN", string status = "Pending", int? code = null, string revision = "0", int runCount = 0,
        TimeSpan? created = null, string start = "null", string? update = null, string end = "null", string? extraAttributes = """{"artifact_id":1,"artifact_tag":"","report_uuids":[],"robot_id":1}""",
        string jobId = "d318c1b17dff242a33f02544", string? creation = null, int copies = 1)
    {
        var made = creation ?? $"now() at time zone 'utc' - interval '{(created ?? TimeSpan.Zero).TotalSeconds.ToString(CultureInfo.InvariantCulture)} seconds'";
        return await ScalarAsync($"""
            insert into task (execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type)
            select {execution}, '{jobId}', '{status}', {code ?? CodeOf(status)}, {revision}, '', {runCount}, {Quote(extraAttributes)}::json, {made}, {start}, {update ?? made}, {end}, '{type}'
            from generate_series(1, {copies})
            returning id::bigint
            """);
    }

    /// <summary>Gives every open task of an execution a job of its own: the prefix and a number from 1 in the order of the rows.</summary>
    public Task NumberJobsAsync(long execution, string status, string prefix) => harbor.Database.ExecuteAsync($"""
        update task set job_id = '{prefix}' || number
        from (select id, row_number() over (order by id) as number from task where execution_id = {execution} and status = '{status}') numbered
        where task.id = numbered.id
        """);

    /// <summary>Core has accepted a hook every eight minutes for six hours: what shows that the job service's reaper came through.</summary>
    public async Task HooksFlowAsync()
    {
        var execution = await ExecutionAsync("REPLICATION", "Success", TimeSpan.FromHours(6));
        await harbor.Database.ExecuteAsync($"""
            insert into task (execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type)
            select {execution}, '', 'Success', 3, extract(epoch from heard)::bigint, '', 1, '{"{}"}', heard, heard, heard, heard, 'REPLICATION'
            from (select date_trunc('second', now() at time zone 'utc') - interval '8 minutes' * past as heard from generate_series(0, 45) past) hooks
            """);
    }

    public Task ReportAsync(string uuid, string digest, bool stored) => ReportAsync(uuid, digest, stored ? """'{"severity":"High"}'""" : "null");

    /// <param name="uuid">Its uuid.</param>
    /// <param name="digest">The artifact's digest.</param>
    /// <param name="report">The column, as a SQL expression.</param>
    public Task ReportAsync(string uuid, string digest, string report) => harbor.Database.ExecuteAsync($$"""
        insert into scan_report (uuid, digest, registration_uuid, mime_type, report)
        values ('{{uuid}}', '{{digest}}', 'scanner', 'application/vnd.security.vulnerability.report; version=1.1', {{report}})
        """);

    /// <summary>The column of a report that was made so long ago, as a SQL expression.</summary>
    /// <param name="age">When the adapter made it.</param>
    /// <param name="more">Further text within it, as a SQL expression.</param>
    public static string MadeAgo(TimeSpan age, string more = "'{}'") =>
        $"""('{"{"}"generated_at":"' || to_char({Ago(age)}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '","more":' || {more} || '{"}"}')::json""";

    public async Task<long> RobotAsync(TimeSpan created, string description = "for scan", bool visible = false) => await ScalarAsync($"""
        insert into robot (name, project_id, description, expiresat, visible, creation_time)
        values ('library+Trivy-' || md5(random()::text), 1, '{description}', -1, {visible}, {Ago(created)})
        returning id::bigint
        """);

    public Task ExecuteAsync(string sql) => harbor.Database.ExecuteAsync(sql);

    private static int CodeOf(string status) => status switch
    {
        "Pending" => 0,
        "Scheduled" => 1,
        "Running" => 2,
        "Success" or "Error" or "Stopped" => 3,
        _ => -1,
    };

    private static string Quote(string? text) => text is null ? "null" : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private Task<long> ScalarAsync(string sql) => harbor.Database.ScalarAsync<long>(sql);
}

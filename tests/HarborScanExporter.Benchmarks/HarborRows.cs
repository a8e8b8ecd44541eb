using System.Globalization;

namespace HarborScanExporter.Benchmarks;

/// <summary>
/// The rows of a Harbor that has been busy for 91 days, in the shape that Harbor writes. Its last 24 hours are the same however long its
/// tables are: 2,400 tasks, of which a scan-all that began two hours ago has 601 with 180 still open. Everything else is history, evenly
/// spread over the 90 days before: twelve weekly scan-alls of a twentieth of the week's tasks each, else scans with an execution of their
/// own. Here and there in the history 20 scans have been left behind open. Ids rise with time.
/// </summary>
internal sealed class HarborRows
{
    /// <summary>Tasks that are not over, at every size.</summary>
    public const int Open = LeftBehind + OpenOfScanAll;

    /// <summary>Of these: open tasks of single scans that nobody ended, each with its Running execution.</summary>
    public const int LeftBehind = 20;

    /// <summary>Of these: tasks of the newest scan-all that wait or run.</summary>
    public const int OpenOfScanAll = 180;

    /// <summary>Tasks, and executions, of the last 24 hours.</summary>
    public const int OfLastDay = 2_400;

    /// <summary>Below this the history has no room for its scan-alls.</summary>
    public const int Least = 5_000;

    private const int OfScanAll = 601;

    /// <summary>Where among the executions of the last day the scan-all begins: one execution in 36 seconds makes this two hours ago.</summary>
    private const int ScanAllAt = 2_201;

    private const int Weeks = 12;

    private readonly string _history;
    private readonly string _week;
    private readonly string _scanAll;
    private readonly string _leftBehind;
    private readonly string _now;
    private readonly string _tasks;

    /// <param name="tasks">Tasks, and executions.</param>
    /// <param name="now">The server's time in UTC, which is the same for both tables.</param>
    public HarborRows(int tasks, DateTime now)
    {
        var history = tasks - OfLastDay;
        var week = history / Weeks;
        var scanAll = week / 20;
        _tasks = Number(tasks);
        _history = Number(history);
        _week = Number(week);
        _scanAll = Number(scanAll);
        _now = $"timestamp '{now.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}'";
        var left = Enumerable.Range(1, LeftBehind).Select(number => (long)number * history / (LeftBehind + 1)).Select(id => IsOfScanAll(id) ? id + scanAll : id);
        _leftBehind = string.Join(", ", left.Select(id => id.ToString(CultureInfo.InvariantCulture)));

        bool IsOfScanAll(long id) => id - Math.Min((id - 1) / week, Weeks - 1) * week <= scanAll;
    }

    // Positions of the history are ids. Times of hooks are whole seconds, the time of creation is not.
    private string History => $"""
        select id, week * {_week} + 1 as scan_all, id - week * {_week} as position, id in ({_leftBehind}) as left_behind,
               {_now} - interval '1 day' - interval '90 days' * (({_history} - id + 0.5) / {_history}) as at,
               case when id % 10 = 1 then 'SBOM' else 'IMAGE_SCAN' end as type,
               case when id % 1000 < 20 then 'Error' when id % 1000 < 25 then 'Stopped' else 'Success' end as ended
        from (select id, least((id - 1) / {_week}, {Number(Weeks - 1)}) as week from generate_series(1, {_history}) as id) as numbered
        """;

    /// <summary>The executions, in one transaction that begins with empty tables and so writes no log of changes.</summary>
    public string Executions => $$$"""
        insert into execution (id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, end_time, revision, update_time)
        select id, kind, case when kind = 'SCAN_ALL' then 0 else id end, case when left_behind then 'Running' else ended end, '',
               case when kind = 'SCAN_ALL' then 'SCHEDULE' else 'EVENT' end, {{{Attributes("id", _scanAll)}}}::json,
               at, case when not left_behind then date_trunc('second', at) + interval '14 seconds' end,
               extract(epoch from at)::bigint % 2000000000, date_trunc('second', at) + interval '14 seconds'
        from (select *, case when position = 1 then 'SCAN_ALL' when position <= {{{_scanAll}}} then 'REPLICATION' else type end as kind from ({{{History}}}) as history) as kinds;

        insert into execution (id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, end_time, revision, update_time)
        select id, kind, case kind when 'SCAN_ALL' then 0 when 'EXECUTION_SWEEP' then -1 else id end, case when kind = 'SCAN_ALL' then 'Running' else 'Success' end, '',
               case when kind in ('SCAN_ALL', 'EXECUTION_SWEEP') then 'SCHEDULE' else 'EVENT' end, {{{Attributes("id", Number(OfScanAll))}}}::json,
               at, case when kind <> 'SCAN_ALL' then date_trunc('second', at) + interval '14 seconds' end,
               extract(epoch from at)::bigint % 2000000000, date_trunc('second', at) + interval '14 seconds'
        from (
            select {{{_history}}} + position as id, {{{OfDay("position")}}} as at,
                   case when position = {{{Number(ScanAllAt)}}} then 'SCAN_ALL' when position % 100 = 0 then 'EXECUTION_SWEEP' when position % 4 = 0 then 'REPLICATION'
                        when position % 40 = 1 then 'SBOM' else 'IMAGE_SCAN' end as kind
            from generate_series(1, {{{Number(OfLastDay)}}}) as position
        ) as day;

        select setval('execution_id_seq', {{{_tasks}}});
        """;

    /// <summary>The tasks, as the executions.</summary>
    public string Tasks => $$$"""
        insert into task (id, execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type)
        select id, execution_id, left(md5('job ' || id), 24), status, {{{Code}}},
               case when status = 'Pending' then 0 else extract(epoch from created)::bigint end, '', case when status = 'Pending' then 0 else 1 end,
               {{{TaskAttributes}}}::json, created,
               case when status <> 'Pending' then date_trunc('second', created) + interval '1 second' end,
               case status when 'Pending' then created when 'Running' then date_trunc('second', at) + interval '5 seconds' else date_trunc('second', at) + interval '14 seconds' end,
               case status when 'Pending' then null when 'Running' then timestamp '0001-01-01' else date_trunc('second', at) + interval '14 seconds' end,
               kind
        from (
            select id, case when is_of_scan_all then scan_all else id end as execution_id, case when is_of_scan_all then 'SCAN_ALL' else type end as kind, at,
                   case when is_of_scan_all then at - interval '90 days' * ((position - 1.0) / {{{_history}}}) + interval '1 millisecond' * position else at end as created,
                   case when left_behind then case when id % 2 = 0 then 'Pending' else 'Running' end else ended end as status
            from (select *, position <= {{{_scanAll}}} as is_of_scan_all from ({{{History}}}) as history) as marked
        ) as rows;

        insert into task (id, execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type)
        select id, execution_id, left(md5('job ' || id), 24), status, {{{Code}}},
               case when status = 'Pending' then 0 else extract(epoch from created)::bigint end, '', case when status = 'Pending' then 0 else 1 end,
               {{{TaskAttributes}}}::json, created,
               case when status <> 'Pending' then date_trunc('second', created) + interval '1 second' end,
               case status when 'Pending' then created when 'Running' then date_trunc('second', {{{_now}}}) - interval '1 minute' else date_trunc('second', at) + interval '14 seconds' end,
               case status when 'Pending' then null when 'Running' then timestamp '0001-01-01' else date_trunc('second', at) + interval '14 seconds' end,
               kind
        from (
            select {{{_history}}} + row_number() over (order by position, number) as id, {{{_history}}} + position as execution_id, kind, created,
                   -- The scan-all works off one task in twelve seconds.
                   created + coalesce(number, 0) * interval '12 seconds' as at,
                   case when number is null or number <= {{{Number(OfScanAll - OpenOfScanAll)}}} then 'Success' when number <= {{{Number(OfScanAll - OpenOfScanAll + 10)}}} then 'Running' else 'Pending' end as status
            from (
                select position, null as number, {{{OfDay("position")}}} as created, case when position % 40 = 1 then 'SBOM' else 'IMAGE_SCAN' end as kind
                from generate_series(1, {{{Number(OfLastDay)}}}) as position
                where position % 4 <> 0 and position <> {{{Number(ScanAllAt)}}}
                union all
                select {{{Number(ScanAllAt)}}}, number, {{{OfDay(Number(ScanAllAt))}}} + number * interval '1 millisecond', 'SCAN_ALL'
                from generate_series(1, {{{Number(OfScanAll)}}}) as number
            ) as day
        ) as rows;

        select setval('task_id_seq', {{{_tasks}}});
        """;

    /// <summary>The reports of the newest tenth and of what is open, of which some of those that run are stored; the robots of what is open, and 200 others.</summary>
    public string Others => $$$"""
        insert into scan_report (uuid, digest, registration_uuid, mime_type, report)
        select extra_attrs -> 'report_uuids' ->> 0, 'sha256:' || md5('artifact ' || id) || md5('digest ' || id), '7a3c1f62-5f3f-11ef-9d55-0242ac120009',
               'application/vnd.security.vulnerability.report; version=1.1',
               case when status = 'Success' or status = 'Running' and id % 3 = 0
                    then '{"generated_at":"2025-01-01T00:00:00Z","scanner":{"name":"Trivy","vendor":"Aqua Security","version":"v0.57.1"},"severity":"High","vulnerabilities":null}'::json end
        from task
        where id > {{{_tasks}}} - {{{_tasks}}} / 10 or status in ('Pending', 'Running');

        insert into robot (id, name, description, project_id, expiresat, visible, creation_time)
        select 1000000 + id, 'robot$project+Trivy-' || id, 'for scan', 1, -1, false, creation_time from task where status in ('Pending', 'Running')
        union all
        select number, 'robot$ci-' || number, 'a pipeline', 1, -1, true, {{{_now}}} - interval '100 days' from generate_series(1, 200) as number;
        """;

    private static string Code => "case status when 'Pending' then 0 when 'Running' then 2 else 3 end";

    private static string TaskAttributes =>
        """format('{"artifact_id":%s,"artifact_tag":"1.%s","report_uuids":["%s"],"robot_id":%s}', id, id % 100, md5('report ' || id)::uuid, 1000000 + id)""";

    private string OfDay(string position) => $"{_now} - interval '24 hours' * (({Number(OfLastDay)} - {position} + 0.5) / {Number(OfLastDay)})";

    private static string Attributes(string id, string ofScanAll) => $$$"""
        case when kind = 'SCAN_ALL' then format('{"operator":"harbor-jobservice","summary":{"conflict_count":0,"precondition_count":0,"submit_count":%s,"total_count":%s,"unknow_count":0,"unsupport_count":0}}', {{{ofScanAll}}}, {{{ofScanAll}}})
             when kind in ('REPLICATION', 'EXECUTION_SWEEP') then '{}'
             else format('{"artifact":{"digest":"sha256:%s%s","id":%s,"project_id":%s,"repository_name":"project-%s/service-%s"},"enabled_capabilities":{"type":"%s"},"operator":"harbor-jobservice","registration":{"id":1,"name":"Trivy"}}',
                         md5({{{id}}}::text), md5('digest ' || {{{id}}}), {{{id}}}, {{{id}}} % 200 + 1, {{{id}}} % 200 + 1, {{{id}}} % 5000, case when kind = 'SBOM' then 'sbom' else 'vulnerability' end) end
        """;

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}

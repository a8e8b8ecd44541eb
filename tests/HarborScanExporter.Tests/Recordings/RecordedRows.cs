using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Recordings;

/// <summary>Puts the rows of a recording into Harbor's tables.</summary>
/// <param name="recording">The recording.</param>
/// <param name="moment">The whole second that its moment becomes, since 1970.</param>
internal sealed class RecordedRows(Recording recording, long moment)
{
    private const string Scanner = "70c2c261-ec68-11f1-b553-ae5d9bb6323c";

    private readonly Dictionary<long, RecordedExecution> _executions = recording.Execution.ToDictionary(execution => execution.Id);

    /// <summary>Takes the place of what stands in the tables.</summary>
    public Task WriteAsync(TestHarbor harbor)
    {
        var knowsSbom = harbor.Release.IsAtLeast("2.11.0");
        var sql = new StringBuilder($"truncate task, execution, scan_report, {(knowsSbom ? "sbom_report, " : "")}job_queue_status cascade;\n");
        Insert(sql, "execution (id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs, start_time, end_time, revision, update_time)",
            recording.Execution.Select(row => $"{row.Id}, '{row.Type}', {row.Vendor}, '{row.Status}', '{row.Message}', '{row.Trigger}', '{AttributesOf(row, knowsSbom)}', {Time(row.Started)}, {End(row.Ended, row.Zero)}, {row.Revision}, {Time(row.Updated)}"));
        Insert(sql, "task (id, execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type)",
            recording.Task.Select(row => $"{row.Id}, {row.Execution}, '{row.Job}', '{row.Status}', {row.Code ?? CodeOf(row.Status)}, {row.Revision + moment ?? 0}, '', {row.Runs}, '{AttributesOf(row)}', "
                + $"{Time(row.Created)}, {Time(row.Started)}, {Time(row.Updated ?? row.Created)}, {End(row.Ended, row.Zero)}, '{_executions[row.Execution].Type}'"));
        // Before a new scan Harbor removes the report of the one before.
        Insert(sql, "scan_report (uuid, digest, registration_uuid, mime_type, report)",
            Newest(row => TypeOf(row) != "SBOM").Select(row => $"'{row.Report}', '{Digest(row.Artifact)}', '{Scanner}', 'application/vnd.security.vulnerability.report; version=1.1', {Report(row)}"));
        Insert(sql, "sbom_report (uuid, artifact_id, registration_uuid, mime_type, media_type, report)",
            Newest(row => TypeOf(row) == "SBOM").Select(row => $"'{row.Report}', {row.Artifact}, '{Scanner}', 'application/vnd.security.sbom.report+json; version=1.0', 'application/spdx+json', {Sbom(row)}"));
        Insert(sql, "job_queue_status (job_type, paused, update_time)", recording.JobQueueStatus.Select(row => $"'{row.Type}', {row.Paused}, {Time(row.Updated)} at time zone 'utc'"));
        return harbor.Database.ExecuteAsync(sql.ToString());
    }

    /// <summary>What core's refresh does to the executions whose refresh was still to come.</summary>
    public Task RefreshAsync(TestHarbor harbor) => harbor.Database.ExecuteAsync($$"""
        update execution set status = over.status, end_time = over.ended, update_time = over.ended + interval '20 seconds', revision = revision + 1
        from (select execution_id, case when bool_or(status = 'Error') then 'Error' when bool_or(status = 'Stopped') then 'Stopped' else 'Success' end as status, max(end_time) as ended
              from task group by execution_id) over
        where id = over.execution_id and id = any('{{{string.Join(',', recording.Refreshed)}}}')
        """);

    private IEnumerable<RecordedTask> Newest(Func<RecordedTask, bool> wanted) =>
        recording.Task.Where(row => row.Report is not null && wanted(row)).GroupBy(row => row.Artifact, (_, rows) => rows.MaxBy(row => row.Id)!);

    private string TypeOf(RecordedTask row) => _executions[row.Execution].Type;

    private string Report(RecordedTask row) => row.Generated is { } generated
        ? $$"""'{"generated_at":"{{Instant(generated):yyyy-MM-dd'T'HH:mm:ss'Z'}}","scanner":{"name":"Trivy","vendor":"Aqua Security","version":"v0.37.2"},"severity":"High"}'"""
        : "null";

    private string Sbom(RecordedTask row) => row.Generated is { } generated
        ? $$"""'{"duration":3,"end_time":"{{Instant(generated):yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'}}","scan_status":"Success","start_time":"{{Instant(generated - 3):yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'}}"}'"""
        : "null";

    private static string AttributesOf(RecordedExecution row, bool knowsSbom)
    {
        if (row.Artifact is not { } artifact) return row.Attributes?.GetRawText() ?? "{}";
        var capability = knowsSbom ? $$""","enabled_capabilities":{"type":"{{(row.Type == "SBOM" ? "sbom" : "vulnerability")}}"}""" : "";
        return $$$"""{"artifact":{"digest":"{{{Digest(artifact)}}}","id":{{{artifact}}},"project_id":1,"repository_name":"{{{row.Repository}}}"}{{{capability}}},"registration":{"id":1,"name":"Trivy"}}""";
    }

    private static string AttributesOf(RecordedTask row) =>
        $$"""{"artifact_id":{{row.Artifact}},"artifact_tag":"1.0",{{(row.Report is null ? "" : $"\"report:{row.Report}\":\"1\",")}}"report_uuids":[{{(row.Report is null ? "" : $"\"{row.Report}\"")}}],"robot_id":1}""";

    /// <summary>Digests say nothing: one is made of the artifact's id.</summary>
    private static string Digest(long artifact) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(BitConverter.GetBytes(artifact)))}";

    private static int CodeOf(string status) => status switch { "Pending" => 0, "Scheduled" => 1, "Running" => 2, _ => 3 };

    private DateTimeOffset Instant(double seconds) => DateTimeOffset.FromUnixTimeSeconds(moment).AddMilliseconds(Math.Round(seconds * 1000));

    private string Time(double? seconds) => seconds is { } known ? string.Create(CultureInfo.InvariantCulture, $"timestamp '{Instant(known):yyyy-MM-dd HH:mm:ss.fff}'") : "null";

    private string End(double? ended, bool zero) => zero ? Seed.ZeroTime : Time(ended);

    private static void Insert(StringBuilder sql, string into, IEnumerable<string> rows)
    {
        string[] values = [.. rows.Select(row => $"({row})")];
        if (values.Length > 0) sql.Append(CultureInfo.InvariantCulture, $"insert into {into} values\n{string.Join(",\n", values)};\n");
    }
}

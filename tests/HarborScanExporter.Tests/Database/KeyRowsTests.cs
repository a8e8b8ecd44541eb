using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;
using HarborScanExporter.Tests.Support;


namespace HarborScanExporter.Tests.Database;

/// <summary>What is read by key is that row and no other, and settled ids lie below rows that may still appear.</summary>
public sealed class KeyRowsTests
{
    private const double Now = 1_789_992_000;

    [Fact]
    public async Task Only_what_was_asked_for()
    {
        await using var harbor = await HarborAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, async () =>
        {
            foreach (var i in new[] { 1, 2, 3 })
            {
                await seed.TaskAsync(await seed.ExecutionAsync(extraAttributes: $"{{\"summary\":{{\"total_count\":{i}}}}}"), jobId: $"job{i}", extraAttributes: $$"""{"robot_id":{{i}},"report_uuids":["u{{i}}"]}""");
                await seed.ReportAsync($"u{i}", $"sha256:{i}", stored: true);
                await seed.ExecuteAsync($"insert into artifact (project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type) values ({i}, 'library/{4 - i}', 'sha256:{i}', 'IMAGE', 1, 'm', 'm', 'm')");
            }
            await seed.ExecuteAsync("truncate sbom_report, project_metadata; insert into sbom_report (uuid, artifact_id, registration_uuid, mime_type, media_type, report) select 's' || n, n, 'r', 'm', 'm', '{}' from generate_series(1, 3) n");
        });
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ArtifactLookup.ByIdAsync(snapshot, [3, 2], token)).Select(place => place.Repository)), ("artifacts by id", "", "library/2 library/1"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ArtifactLookup.ByDigestAsync(snapshot, ["sha256:1", "sha256:2"], token)).Select(place => place.Repository)), ("artifacts by digest", "", "library/2 library/3"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ArtifactLookup.PreventingAsync(snapshot, [1, 2], token)).Order()),
            ("prevents", "insert into project_metadata (project_id, name, value) values (1, 'prevent_vul', 'true'), (2, 'prevent_vul', 'TRUE')", "1 2"),
            ("another project", "insert into project_metadata (project_id, name, value) values (3, 'prevent_vul', 'true')", ""),
            ("another word", "insert into project_metadata (project_id, name, value) values (1, 'prevent_vul', 'false')", ""),
            ("another name", "insert into project_metadata (project_id, name, value) values (1, 'auto_scan', 'true')", ""));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await TaskLookup.StatesAsync(snapshot, [2, 3], token)).Keys.Order()), ("states", "", "2 3"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await TaskLookup.NamedJobsAsync(snapshot, ["job1", "job3", "job7"], token)).Order()), ("named jobs", "", "job1 job3"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await TaskLookup.OwnersAsync(snapshot, ["job1", "job2"], token)).OrderBy(one => one.Key).Select(one => $"{one.Key}:{one.Value}")),
            ("owners", "update task set job_id = 'job2' where id = 3", "job1:1 job2:2"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ActiveTaskLookup.ByJobAsync(snapshot, ["job1", "job3"], token)).Select(one => one.Id).Order()), ("tasks by job", "", "1 3"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ReportLookup.ReportsAsync(snapshot, ["u2", "u3", "s2"], true, null, token)).Select(one => $"{one.Key}:{one.Value.Digest}").Order()), ("reports", "", "s2:sha256:2 u2:sha256:2 u3:sha256:3"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ReportBeginning.OfLargeAsync(snapshot.Connection, snapshot.Transaction, new Dictionary<string, long> { ["u2"] = 3_000 }, token)).Keys), ("large reports", "", "u2"));
        foreach (var gap in new[] { 16, 0 })
        {
            // As one range, and as single ids.
            await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ActiveExecutionLookup.ReadAsync(snapshot, IdRanges.Of([1, 3], gap), IdRanges.Of([2], gap), new RowAddresses<long>(), token)).Select(one => one.Id).Distinct().Order()),
                ("all", "", "1 2 3"), ("one that is over among those asked for in any case", "update execution set status = 'Success' where id = 1", "1 2 3"),
                ("one of another job", "update execution set vendor_type = 'REPLICATION' where id = 3", "1 2"));
            await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ActiveExecutionLookup.ReadAsync(snapshot, IdRanges.None, IdRanges.Of([1, 2], gap), new RowAddresses<long>(), token)).Select(one => one.Id).Order()),
                ("Running", "", "1 2"), ("over", "update execution set status = 'Success' where id = 1", "2"), ("of another job", "update execution set vendor_type = 'REPLICATION' where id = 1", "2"));
        }
        foreach (var guarded in new[] { true, false })
        {
            // Without the functions, as for Harbor's own user, the columns themselves are read.
            if (!guarded) await harbor.Database.ExecuteAsync($"revoke execute on all functions in schema harbor_scan from {harbor.Role}; grant select on task, execution to {harbor.Role}");
            await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ReportLookup.AttributesAsync(snapshot, [2, 3], token)).Select(one => $"{one.Key}:{one.Value.RobotId}")), ("attributes of tasks", "", "2:2 3:3"));
            await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ScanAttributes.OfExecutionsAsync(snapshot, [1, 3], token)).OrderBy(one => one.Key).Select(one => $"{one.Key}:{ScanAllSummary.Parse(one.Value)?.Total}")), ("attributes of executions", "", "1:1 3:3"));
            await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ReportSharingLookup.ReadAsync(snapshot.Connection, snapshot.Transaction, snapshot.Tables, [(1, "u1"), (2, "u1")], token)).OrderBy(one => one.Key.Task)
                    .Select(one => $"{one.Key.Task}:{one.Value.NextCreated - Now}:{one.Value.NewestExecution}")),
                ("named by one alone", "delete from task where id = 2", "2::"),
                ("named by none", "delete from task", ""),
                ("shared by two", $$"""update task set extra_attrs = '{"report_uuids":["u1"]}', creation_time = {{At(0)}} + interval '1 second' * id""", "1:2:3 2:3:3"),
                ("shared with an older one", $$"""update task set extra_attrs = '{"report_uuids":["u1"]}', creation_time = {{At(0)}} + interval '1 second' * id; delete from task where id = 3""", "1:2:2 2::"),
                ("the newest made first", $$"""update task set extra_attrs = '{"report_uuids":["u1"]}', creation_time = {{At(0)}} - interval '1 second' * id""", "1:-3:3 2:-3:3"));
        }
    }

    [Fact]
    public async Task The_functions_are_called_where_the_role_may_call_them_alone()
    {
        await using var harbor = await HarborAsync();
        await new DecidedRows(harbor, () => Task.CompletedTask).ReadAsync((snapshot, _) => Task.FromResult(snapshot.Tables.GuardsAttributes),
            ("granted", "", true),
            ("one of them not granted", $"revoke execute on function harbor_scan.task_attributes(bigint[]) from {harbor.Role}", false),
            ("granted again", $"grant execute on function harbor_scan.task_attributes(bigint[]) to {harbor.Role}", true),
            ("their schema not granted", $"revoke usage on schema harbor_scan from {harbor.Role}", false));
    }

    [Fact]
    public async Task Below_the_rows_of_the_last_hour_and_of_the_last_ten_minutes()
    {
        await using var harbor = await HarborAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, async () =>
        {
            foreach (var _ in new[] { 1, 2, 3 }) await seed.TaskAsync(await seed.ExecutionAsync());
            await seed.ExecuteAsync($"update task set creation_time = {At(-3600)} where id = 1; update task set creation_time = {At(-600)} where id = 2; update task set creation_time = {At(-599)} where id = 3;"
                + "update execution e set start_time = (select creation_time from task t where t.id = e.id)");
        });
        await rows.ReadAsync(async (snapshot, token) => await TableHorizonProbe.SettledAsync(snapshot, Now, token) is var settled
                ? $"{settled.Tasks.OfTheHour} {settled.Tasks.OfTenMinutes} {settled.Executions.OfTheHour} {settled.Executions.OfTenMinutes}" : "",
            ("an hour, ten minutes, and less", "", "1 2 1 2"),
            ("less than an hour, ten minutes, and less", $"update task set creation_time = {At(-3599)} where id = 1; update execution set start_time = {At(-3599)} where id = 1", "0 2 0 2"),
            ("all old", $"update task set creation_time = {At(-3600)}; update execution set start_time = {At(-3600)}", "3 3 3 3"),
            ("all new", $"update task set creation_time = {At(0)}; update execution set start_time = {At(0)}", "0 0 0 0"),
            ("none", "delete from task; delete from execution", "0 0 0 0"));
    }

    [Fact]
    public async Task What_operators_have_switched()
    {
        await using var harbor = await HarborAsync();
        var facts = new DatabaseFacts { CanReadQueueStatus = true, CanReadMode = true };
        var rows = new DecidedRows(harbor, () => harbor.Database.ExecuteAsync("truncate job_queue_status, properties"));
        await rows.ReadAsync(async (snapshot, token) => await OperatorState.ReadAsync(snapshot, facts, token) is var state ? $"{string.Join(' ', state.PausedQueues!.Order())} {state.ReadOnly}" : "",
            ("nothing", "", " False"),
            ("a paused queue beside another", "insert into job_queue_status (job_type, paused) values ('IMAGE_SCAN', true), ('REPLICATION', false)", "IMAGE_SCAN False"),
            ("read-only", "insert into properties (k, v) values ('read_only', 'TRUE')", " True"),
            ("not read-only", "insert into properties (k, v) values ('read_only', 'false')", " False"),
            ("another switch", "insert into properties (k, v) values ('self_registration', 'true')", " False"));
    }

    private static async Task<TestHarbor> HarborAsync()
    {
        var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        return harbor;
    }

    private static string At(double seconds) => FormattableString.Invariant($"to_timestamp({Now + seconds}) at time zone 'utc'");
}

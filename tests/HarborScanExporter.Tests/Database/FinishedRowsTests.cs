using HarborScanExporter.Database.Queries;
using HarborScanExporter.Tests.Support;


namespace HarborScanExporter.Tests.Database;

/// <summary>What a read of a whole table tells of rows that are over, of the newest scan-all, and of the tasks of an execution: each row is decided by one clause alone.</summary>
public sealed class FinishedRowsTests
{
    private const double Now = 1_789_992_000;

    private const string Change = "update task set ";

    [Fact]
    public async Task Tasks_that_are_over_and_changed_lately()
    {
        await using var harbor = await HarborAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, async () => await seed.TaskAsync(await seed.ExecutionAsync(), status: "Success", update: At(1), end: At(1)));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await TaskPass.ReadAsync(snapshot, Now, 0, new FinishedSince(Now, 1, 1), token)).Finished.Select(row => $"{row.Id}:{row.IsLowCode}")),
            ("changed since", "", "1:False"),
            ("changed then", Change + $"update_time = {At(0)}", ""),
            ("changed then, with a greater id", Change + $"update_time = {At(0)}, id = 2", "2:False"),
            ("changed then, with a lower code", Change + $"update_time = {At(0)}, status_code = 2", "1:True"),
            ("changed at no known time", Change + "update_time = null", ""),
            ("Pending", Change + "status = 'Pending'", ""),
            ("Scheduled", Change + "status = 'Scheduled'", ""),
            ("Running", Change + "status = 'Running'", ""),
            ("another word", Change + "status = 'Strange'", "1:False"),
            ("no scan", Change + "vendor_type = 'REPLICATION'", ""));
        // Where nothing is remembered of a read, nothing is named.
        await rows.ReadAsync(async (snapshot, token) => (await TaskPass.ReadAsync(snapshot, Now, 0, FinishedSince.Never, token)).Finished.Count,
            ("changed since", "", 0), ("with a lower code", Change + "status_code = 2", 0), ("with the greatest id", Change + "id = 2147483647", 0), ("changed in all eternity", Change + "update_time = 'infinity'", 0));
        await rows.ReadAsync(async (snapshot, token) => (await TaskPass.ReadAsync(snapshot, Now, 0, FinishedSince.Never, token)).NewestSuccess ?? 0,
            ("ended", "", Now + 1),
            ("ahead of the clock by less than five minutes", Change + $"end_time = {At(299)}", Now + 299),
            ("ahead of the clock by five minutes", Change + $"end_time = {At(300)}", 0),
            ("at no time", Change + "end_time = 'infinity'", 0),
            ("Error", Change + "status = 'Error'", 0));
    }

    [Fact]
    public async Task Executions_that_are_over_and_changed_lately()
    {
        await using var harbor = await HarborAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, async () =>
        {
            await seed.ExecutionAsync(status: "Success", update: At(1));
            await seed.ExecuteAsync($"update execution set start_time = {At(0)}");
        });
        const string execution = "update execution set ";
        (string, string, string)[] cases =
        [
            ("changed since", "", "1 -"),
            ("changed then", execution + $"update_time = {At(0)}", "- -"),
            ("changed then, with a greater id", execution + $"update_time = {At(0)}, id = 2", "2 -"),
            ("started then and not changed", execution + "update_time = null", "- -"),
            ("started since and not changed", execution + $"update_time = null, start_time = {At(1)}", "1 -"),
            ("changed then, started since", execution + $"update_time = {At(0)}, start_time = {At(1)}", "- -"),
            ("Running", execution + "status = 'Running'", "- 1"),
            ("without a status", execution + "status = null", "1 -"),
            ("a scan-all", execution + "vendor_type = 'SCAN_ALL'", "1 1"),
            ("a sweep", execution + "vendor_type = 'EXECUTION_SWEEP'", "1 1"),
            ("an SBOM", execution + "vendor_type = 'SBOM'", "1 -"),
            ("another job", execution + "vendor_type = 'REPLICATION'", "- -"),
            ("another job that runs", execution + "vendor_type = 'REPLICATION', status = 'Running'", "- -"),
        ];
        await rows.ReadAsync(async (snapshot, token) => await ExecutionPass.ReadAsync(snapshot, new FinishedSince(Now, 1, 1), token) is var pass
            ? $"{Ids(pass.Finished.Select(row => row.Id))} {Ids(pass.Detailed.Keys)}" : "", cases);

        static string Ids(IEnumerable<long> ids) => string.Join(',', ids) is { Length: > 0 } text ? text : "-";
    }

    [Fact]
    public async Task The_newest_change_of_the_tasks_of_an_execution()
    {
        await using var harbor = await HarborAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, async () =>
        {
            await seed.TaskAsync(await seed.ExecutionAsync("SCAN_ALL"), "SCAN_ALL", "Success", revision: "0", creation: At(-40), update: At(-30), end: At(-20));
            await seed.TaskAsync(await seed.ExecutionAsync("SCAN_ALL"), "SCAN_ALL", "Success", revision: "1789999999", creation: At(900), update: At(900), end: At(900));
        });
        const string first = " where execution_id = 1";
        (string, string, double)[] cases =
        [
            ("its end", "", Now - 20),
            ("its update", Change + "end_time = null" + first, Now - 30),
            ("its creation", Change + "end_time = null, update_time = null" + first, Now - 40),
            ("its revision", Change + $"status_revision = {Now - 10}" + first, Now - 10),
            ("an end at no time", Change + "end_time = 'infinity'" + first, Now - 30),
            ("an update at no time", Change + "end_time = null, update_time = 'infinity'" + first, Now - 40),
            ("a creation at no time", Change + "creation_time = 'infinity'" + first, Now - 20),
            ("Harbor's empty times", Change + "creation_time = '0001-01-01', update_time = '0001-01-01', end_time = '0001-01-01'" + first, -1),
            ("no time at all", Change + "creation_time = null, update_time = null, end_time = null, status_revision = null" + first, -1),
            ("the first usable times", Change + "creation_time = '1970-01-01', update_time = '1970-01-01', end_time = '1970-01-01', status_revision = 0" + first, 0),
            ("a second task", $"insert into task (execution_id, vendor_type, status, status_code, creation_time, update_time, end_time) values (1, 'SCAN_ALL', 'Error', 3, {At(-50)}, {At(-50)}, {At(-15)})", Now - 15),
            ("a second task that is older", $"insert into task (execution_id, vendor_type, status, status_code, creation_time, update_time, end_time) values (1, 'SCAN_ALL', 'Success', 3, {At(-90)}, {At(-90)}, {At(-90)})", Now - 20),
        ];
        await rows.ReadAsync(async (snapshot, token) => (await ExecutionLookup.TasksAsync(snapshot, [1], token))[1].NewestChange ?? -1, cases);
        await rows.ReadAsync(async (snapshot, token) => (await TaskPass.ReadAsync(snapshot, Now, 1, FinishedSince.Never, token)).OfNewestScanAll.NewestChange ?? -1,
            cases);
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ExecutionLookup.TasksAsync(snapshot, [1], token)).Select(one => $"{one.Key}:{one.Value.Tasks}")),
            ("one", "", "1:1"), ("none", "delete from task where execution_id = 1", ""), ("two", "update task set execution_id = 1", "1:2"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await ExecutionLookup.ExecutionsAsync(snapshot, [2, 7], token)).Select(one => one.Id)), ("that one", "", "2"));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await WrongCodeLookup.ReadAsync(snapshot, [1], 0, 1, token)).Select(one => one.Id)),
            ("the oldest", "update task set execution_id = 1, status_code = 2", "1"), ("of that execution", "update task set status_code = 2 where execution_id = 2", ""));
    }

    private static async Task<TestHarbor> HarborAsync()
    {
        var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        return harbor;
    }

    private static string At(double seconds) => FormattableString.Invariant($"to_timestamp({Now + seconds}) at time zone 'utc'");
}

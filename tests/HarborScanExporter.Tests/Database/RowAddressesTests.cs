using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Database;

/// <summary>An address is a hint: what it saves is a descent of an index, and whatever has moved, is gone or stands there now, the answer is that of the key.</summary>
public sealed class RowAddressesTests
{
    private const string First = "0a6f6a52-1f6b-4f4b-9d3a-5f2f4c6f0001";
    private const string Second = "0a6f6a52-1f6b-4f4b-9d3a-5f2f4c6f0002";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("task")]
    [InlineData("execution")]
    [InlineData("scan_report")]
    public async Task Rows_that_stand_where_they_stood_are_read_without_an_index(string table)
    {
        await using var rows = await AddressedRows.StartAsync(table);
        var first = await rows.ReadAsync();
        var second = await rows.ReadAsync();
        Assert.Equal("1 old, 2 old", first.Rows);
        Assert.Equal("1 old, 2 old", second.Rows);
        Assert.NotEqual(0, first.Scans);
        Assert.Equal(0, second.Scans);
    }

    [Theory]
    [InlineData("task")]
    [InlineData("execution")]
    [InlineData("scan_report")]
    public async Task A_row_that_moved_is_found_and_stands_there_from_then_on(string table)
    {
        await using var rows = await AddressedRows.StartAsync(table);
        await rows.ReadAsync();
        await rows.ChangeAsync(1);
        Assert.Equal("1 new, 2 old", (await rows.ReadAsync()).Rows);
        Assert.Equal(("1 new, 2 old", 0), await rows.ReadAsync());
    }

    [Theory]
    [InlineData("task")]
    [InlineData("execution")]
    [InlineData("scan_report")]
    public async Task A_row_in_the_place_of_one_that_is_gone_is_not_taken_for_it(string table)
    {
        await using var rows = await AddressedRows.StartAsync(table);
        await rows.ReadAsync();
        var place = await rows.PlaceAsync(1);
        await rows.DeleteAsync(1);
        await rows.InsertAsync(3);
        Assert.Equal(place, await rows.PlaceAsync(3));
        Assert.Equal("2 old", (await rows.ReadAsync()).Rows);
    }

    [Theory]
    [InlineData("task")]
    [InlineData("execution")]
    [InlineData("scan_report")]
    public async Task A_row_that_moved_into_the_place_of_another_is_told_once(string table)
    {
        await using var rows = await AddressedRows.StartAsync(table);
        await rows.ReadAsync();
        var place = await rows.PlaceAsync(1);
        await rows.DeleteAsync(1);
        await rows.ChangeAsync(2);
        Assert.Equal(place, await rows.PlaceAsync(2));
        Assert.Equal("2 new", (await rows.ReadAsync()).Rows);
        Assert.Equal("2 new", (await rows.ReadAsync()).Rows);
    }

    [Fact]
    public async Task Rows_of_a_range_are_read_by_range()
    {
        await using var rows = await AddressedRows.StartAsync("task");
        await using var snapshot = await rows.BeginAsync();
        var addresses = new RowAddresses<long>();
        var ids = await rows.IdsAsync();
        await ActiveTaskLookup.ReadAsync(snapshot, IdRanges.Of(ids, 100), IdRanges.None, addresses, Token);
        Assert.Empty(addresses.Of(ids));
    }

    [Fact]
    public async Task What_is_not_read_again_is_forgotten()
    {
        await using var rows = await AddressedRows.StartAsync("execution");
        await using var snapshot = await rows.BeginAsync();
        var addresses = new RowAddresses<long>();
        var ids = await rows.IdsAsync();
        await ActiveExecutionLookup.ReadAsync(snapshot, IdRanges.Of(ids, 0), IdRanges.None, addresses, Token);
        Assert.Equal(ids, addresses.Of(ids).Keys.Order());
        await ActiveExecutionLookup.ReadAsync(snapshot, IdRanges.Of(ids[1..], 0), IdRanges.None, addresses, Token);
        Assert.Equal(ids[1..], addresses.Of(ids).Keys);
    }

    /// <summary>Two rows of a table, 1 and 2, far enough apart to be read singly, and what is remembered of them.</summary>
    private sealed class AddressedRows : IAsyncDisposable
    {
        private readonly TestHarbor _harbor;
        private readonly HarborDatabase _database;
        private readonly string _table;
        private readonly RowAddresses<long> _ids = new();
        private readonly RowAddresses<string> _uuids = new();

        private AddressedRows(TestHarbor harbor, string table)
        {
            (_harbor, _table) = (harbor, table);
            _database = new HarborDatabase(SettingsReader.Read(harbor.Environment(), new Dictionary<string, string>()).Settings!.Database, TimeSpan.FromSeconds(10));
        }

        public static async Task<AddressedRows> StartAsync(string table)
        {
            var rows = new AddressedRows(await TestHarbor.CreateAsync(), table);
            await rows._harbor.Database.ExecuteAsync("insert into execution (id, vendor_type, vendor_id, status, trigger, extra_attrs, start_time) values (9, 'IMAGE_SCAN', 1, 'Running', 'old', '{}', now())");
            await rows.InsertAsync(1);
            await rows.InsertAsync(2);
            return rows;
        }

        public Task<Snapshot> BeginAsync() => _database.BeginAsync(TimeSpan.FromSeconds(10), Token);

        public async Task<long[]> IdsAsync() => [await _harbor.Database.ScalarAsync<long>($"select id::bigint from {_table} where {Key(1)}"), await _harbor.Database.ScalarAsync<long>($"select id::bigint from {_table} where {Key(2)}")];

        public Task InsertAsync(int row) => _harbor.Database.ExecuteAsync(_table switch
        {
            "task" => $$"""
                insert into task (id, execution_id, job_id, status, status_code, vendor_type, extra_attrs, creation_time, start_time, update_time)
                values ({{row * 100}}, 9, 'old', 'Pending', 0, 'IMAGE_SCAN', '{}', now(), now(), now())
                """,
            "execution" => $$"""
                insert into execution (id, vendor_type, vendor_id, status, trigger, extra_attrs, start_time)
                values ({{row * 100}}, 'IMAGE_SCAN', 1, 'Running', 'old', '{}', now())
                """,
            _ => $"insert into scan_report (uuid, digest, registration_uuid, mime_type) values ('{Uuid(row)}', 'old', 'r{row}', 'm')",
        });

        public Task ChangeAsync(int row) => _harbor.Database.ExecuteAsync(
            $"update {_table} set {(_table == "task" ? "job_id" : _table == "execution" ? "trigger" : "digest")} = 'new' where {Key(row)}");

        /// <summary>Deletes it and frees its place.</summary>
        public async Task DeleteAsync(int row)
        {
            await _harbor.Database.ExecuteAsync($"delete from {_table} where {Key(row)}");
            await _harbor.Database.ExecuteAsync($"vacuum {_table}");
        }

        public Task<string> PlaceAsync(int row) => _harbor.Database.ScalarAsync<string>($"select ctid::text from {_table} where {Key(row)}");

        /// <summary>Reads both in a snapshot of its own: the rows, and the scans of the table and its indexes.</summary>
        public async Task<(string Rows, long Scans)> ReadAsync()
        {
            await using var snapshot = await BeginAsync();
            // The session may not have written the counts of its transaction before.
            var before = await ScansAsync(snapshot);
            string[] rows = _table switch
            {
                "task" => [.. (await ActiveTaskLookup.ReadAsync(snapshot, IdRanges.Of([100, 200], 16), IdRanges.None, _ids, Token)).OrderBy(task => task.Id).Select(task => $"{task.Id / 100} {task.JobId}")],
                "execution" => [.. (await ActiveExecutionLookup.ReadAsync(snapshot, IdRanges.Of([100, 200], 16), IdRanges.None, _ids, Token)).OrderBy(execution => execution.Id).Select(execution => $"{execution.Id / 100} {execution.Trigger}")],
                _ => [.. (await ReportLookup.ReportsAsync(snapshot, [First, Second], false, _uuids, Token)).Values.OrderBy(report => report.Uuid, StringComparer.Ordinal).Select(report => $"{report.Uuid[^1]} {report.Digest}")],
            };
            return (string.Join(", ", rows), await ScansAsync(snapshot) - before);
        }

        public async ValueTask DisposeAsync()
        {
            await _database.DisposeAsync();
            await _harbor.DisposeAsync();
        }

        private async Task<long> ScansAsync(Snapshot snapshot)
        {
            await using var scans = new NpgsqlCommand(
                $"select coalesce(seq_scan, 0) + coalesce(idx_scan, 0) from pg_stat_xact_user_tables where relname = '{_table}'", snapshot.Connection, snapshot.Transaction);
            return (long)(await scans.ExecuteScalarAsync(Token))!;
        }

        private static string Uuid(int row) => First[..^1] + row;

        private string Key(int row) => _table == "scan_report" ? $"uuid = '{Uuid(row)}'" : $"id = {row * 100}";
    }
}

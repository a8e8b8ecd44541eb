using HarborScanExporter.Database.Session;
using HarborScanExporter.Failures;
using HarborScanExporter.Hosting;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Database;

/// <summary>What reads beside the scrapes leaves them their connection.</summary>
public sealed class OperationsDatabaseTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_read_at_a_time_and_a_scrape_beside_it()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var database = new HarborDatabase(SettingsOf(harbor.Environment()), Minute);
        using var operations = new OperationsDatabase(database);
        var first = await operations.BeginAsync(Minute, Token);
        // Any number of pages, plans and searches.
        var waiting = Enumerable.Range(0, 20).Select(_ => operations.BeginAsync(Minute, Token)).ToList();
        await using (await database.BeginAsync(Minute, Token))
        {
            Assert.Equal(2, await harbor.Database.ScalarAsync<long>($"select count(*) from pg_stat_activity where usename = '{harbor.Role}'"));
            Assert.All(waiting, one => Assert.False(one.IsCompleted));
        }
        await first.DisposeAsync();
        while (waiting.Count > 0)
        {
            var next = await Task.WhenAny(waiting).WaitAsync(Minute, Token);
            waiting.Remove(next);
            await (await next).DisposeAsync();
        }
    }

    [Fact]
    public async Task A_turn_that_does_not_come_is_a_timeout_and_one_that_failed_is_given_back()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var database = new HarborDatabase(SettingsOf(harbor.Environment()), Minute);
        using var operations = new OperationsDatabase(database);
        var first = await operations.BeginAsync(Minute, Token);
        var error = await Assert.ThrowsAsync<NpgsqlException>(() => operations.BeginAsync(TimeSpan.FromMilliseconds(100), Token));
        Assert.Equal(FailureReason.Timeout, FailureReason.Of(error));
        Assert.Equal("Another page, plan or search is still being read: It did not end in time", FailureReason.Words(error));
        await first.DisposeAsync();
        // Ended twice, it gives one turn back.
        await first.DisposeAsync();
        await harbor.Database.ExecuteAsync($"alter role {harbor.Role} connection limit 0; select pg_terminate_backend(pid) from pg_stat_activity where usename = '{harbor.Role}'");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => operations.BeginAsync(Minute, Token));
        await harbor.Database.ExecuteAsync($"alter role {harbor.Role} connection limit 7");
        await Eventually.HoldsAsync(async () => await BeginsAsync(operations), Minute, () => "The turn was not given back.");
        await using var second = await operations.BeginAsync(Minute, Token);
        await Assert.ThrowsAsync<NpgsqlException>(() => operations.BeginAsync(TimeSpan.FromMilliseconds(100), Token));
    }

    [Fact]
    public async Task Whoever_asks_whether_the_database_answers_shares_one_question()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var proxy = new FreezableProxy("127.0.0.1", new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString).Port);
        await using var database = new HarborDatabase(SettingsOf(harbor.Environment(("HARBOR_DATABASE_PORT", $"{proxy.Port}"))), Minute);
        var readiness = new Readiness(database, TimeProvider.System);
        await readiness.AskAsync();
        proxy.Freeze();
        Task[] asked = [.. Enumerable.Range(0, 50).Select(_ => readiness.AskAsync())];
        Assert.All(asked, one => Assert.Same(asked[0], one));
        proxy.Thaw();
        await asked[0].WaitAsync(Minute, Token);
        var next = readiness.AskAsync();
        Assert.NotSame(asked[0], next);
        await next;
        Assert.Equal(1, proxy.Connections);
    }

    [Fact]
    public async Task A_pool_that_is_taken_is_told_as_that()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var database = new HarborDatabase(SettingsOf(harbor.Environment()), TimeSpan.FromSeconds(2), connections: 1);
        await using var held = await database.BeginAsync(Minute, Token);
        var error = await Assert.ThrowsAsync<NpgsqlException>(() => database.BeginAsync(Minute, Token));
        Assert.Equal(FailureReason.Timeout, FailureReason.Of(error));
        Assert.Equal("no connection of this exporter became free in time", FailureReason.Words(error));
        Assert.StartsWith("Every connection of this exporter is held by a read that the network or the server keeps", FailureReason.Mend(error), StringComparison.Ordinal);
    }

    private static async Task<bool> BeginsAsync(OperationsDatabase operations)
    {
        try
        {
            await using var snapshot = await operations.BeginAsync(Minute, Token);
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private static DatabaseSettings SettingsOf(Dictionary<string, string> environment) => SettingsReader.Read(environment, new Dictionary<string, string>()).Settings!.Database;
}

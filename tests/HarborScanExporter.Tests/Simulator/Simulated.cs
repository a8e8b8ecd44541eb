using HarborScanExporter.Tests.Support;
using HarborSimulator;
using HarborSimulator.Schema;
using Npgsql;
using StackExchange.Redis;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>A simulated Harbor in a database of its own.</summary>
internal sealed class Simulated : IAsyncDisposable
{
    private readonly TestDatabase _database;
    private readonly NpgsqlDataSource _dataSource;

    private Simulated(TestDatabase database, NpgsqlDataSource dataSource, HarborSimulation harbor)
    {
        _database = database;
        _dataSource = dataSource;
        Harbor = harbor;
    }

    public HarborSimulation Harbor { get; }

    /// <summary>A Harbor without errors and without schedules of its own, unless the settings say so.</summary>
    public static async Task<Simulated> StartAsync(string release = "2.11.0", SimulationSettings? settings = null, IDatabase? redis = null)
    {
        var database = await PostgresServer.Current.CreateHarborDatabaseAsync(HarborRelease.Parse(release));
        // Thousands of short statements: the connections are kept, unlike those of the test database itself.
        var dataSource = NpgsqlDataSource.Create(database.PooledConnectionString);
        var harbor = await HarborSimulation.StartAsync(dataSource, HarborRelease.Parse(release),
            settings ?? new SimulationSettings { ErrorShare = 0, Sweeps = false }, redis, TestContext.Current.CancellationToken);
        return new Simulated(database, dataSource, harbor);
    }

    public Task AdvanceAsync(TimeSpan time) => Harbor.AdvanceAsync(time, TestContext.Current.CancellationToken);

    /// <summary>The one row of a query, columns joined by a bar.</summary>
    public Task<string> OneAsync(string sql) => Rows.OneAsync(_dataSource, sql);

    public Task<List<string>> RowsAsync(string sql) => Rows.OfAsync(_dataSource, sql);

    public Task<int> RunAsync(string sql) => Rows.RunAsync(_dataSource, sql);

    /// <summary>status|code of a task.</summary>
    public Task<string> StatusAsync(long task) => OneAsync($"select status, status_code from task where id = {task}");

    public Task<string> ExecutionAsync(long? execution) => OneAsync($"select status from execution where id = {execution}");

    /// <summary>The one task of an accepted scan.</summary>
    public async Task<(long Task, long Execution)> ScanAsync()
    {
        var scan = await Harbor.PushAndScanAsync(cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(scan.Accepted, scan.Refusal);
        return (Assert.Single(scan.TaskIds), scan.ExecutionId!.Value);
    }

    /// <summary>A scan that a worker has taken.</summary>
    public async Task<(long Task, long Execution)> RunningScanAsync()
    {
        var scan = await ScanAsync();
        await AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.True(Harbor.IsRunning(scan.Task));
        return scan;
    }

    public async ValueTask DisposeAsync()
    {
        await _dataSource.DisposeAsync();
        await _database.DisposeAsync();
    }
}

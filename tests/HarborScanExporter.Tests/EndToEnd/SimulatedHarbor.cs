using HarborScanExporter.Tests.Support;
using HarborSimulator;
using Npgsql;
using StackExchange.Redis;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>The simulator over a database that an exporter reads. Its clock starts in the past and is led up to the database's.</summary>
internal sealed class SimulatedHarbor : IAsyncDisposable
{
    private readonly TestHarbor _harbor;
    private readonly NpgsqlDataSource _source;

    private SimulatedHarbor(TestHarbor harbor, NpgsqlDataSource source, HarborSimulation simulation) =>
        (_harbor, _source, Simulation) = (harbor, source, simulation);

    public HarborSimulation Simulation { get; }

    /// <summary>Starts a Harbor so long ago, in a database without rows.</summary>
    /// <param name="harbor">Where it writes; it stays the caller's.</param>
    /// <param name="ago">How long before the database's clock its history begins.</param>
    /// <param name="settings">How it is built; its start is replaced.</param>
    /// <param name="redis">Where the job service keeps its keys; in memory when not given.</param>
    public static async Task<SimulatedHarbor> StartAsync(TestHarbor harbor, TimeSpan ago, SimulationSettings? settings = null, IDatabase? redis = null)
    {
        var start = await NowAsync(harbor) - ago;
        // Thousands of short statements: the connections are kept, unlike those of the test database itself.
        var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString) { Pooling = true, MaxPoolSize = 4 });
        try
        {
            var simulation = await HarborSimulation.StartAsync(source, harbor.Release,
                (settings ?? new SimulationSettings { ErrorShare = 0, Sweeps = false }) with { Start = start }, redis);
            return new SimulatedHarbor(harbor, source, simulation);
        }
        catch
        {
            await source.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets simulated time pass until so long before the database's clock.</summary>
    public async Task CatchUpAsync(TimeSpan? before = null) => await Simulation.AdvanceToAsync(await NowAsync() - (before ?? TimeSpan.Zero));

    /// <summary>Pushes and scans that many images of their own.</summary>
    /// <returns>Their tasks.</returns>
    public async Task<IReadOnlyList<long>> ScanAsync(int images, string repository)
    {
        List<long> tasks = [];
        for (var i = 0; i < images; i++)
        {
            var scan = await Simulation.PushAndScanAsync("library", repository, FormattableString.Invariant($"1.{i}"));
            Assert.True(scan.Accepted, scan.Refusal);
            tasks.AddRange(scan.TaskIds);
        }
        return tasks;
    }

    /// <summary>The database's clock, in UTC.</summary>
    public Task<DateTime> NowAsync() => NowAsync(_harbor);

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static async Task<DateTime> NowAsync(TestHarbor harbor) =>
        DateTime.SpecifyKind(await harbor.Database.ScalarAsync<DateTime>("select clock_timestamp() at time zone 'utc'"), DateTimeKind.Utc);
}

using HarborScanExporter.HarborApi;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.EndToEnd;
using HarborScanExporter.Tests.Support;
using HarborSimulator;
using HarborSimulator.Api;

namespace HarborScanExporter.Tests.Remediation;

/// <summary>A simulated Harbor with its Redis and its API, and the pieces that repair it through both.</summary>
internal sealed class ServedRepairs : IAsyncDisposable
{
    private readonly TestHarbor _harbor;
    private readonly RedisServer _redis;
    private readonly SimulatedHarbor _simulated;
    private readonly HarborApiClient _client;

    private ServedRepairs(TestHarbor harbor, RedisServer redis, SimulatedHarbor simulated, HarborApiServer api, HarborApiClient client, RepairingHarbor repairing) =>
        (_harbor, _redis, _simulated, Api, _client, Repairing) = (harbor, redis, simulated, api, client, repairing);

    public HarborApiServer Api { get; }

    public RepairingHarbor Repairing { get; }

    /// <summary>What goes wrong with the next act, and not with the questions before it.</summary>
    public Action<HarborApiServer>? Trouble { get; set; }

    public HarborSimulation Simulation => _simulated.Simulation;

    /// <param name="release">Harbor's release.</param>
    /// <param name="user">Who signs in to the API; the administrator when not given.</param>
    /// <param name="settings">How Harbor is built.</param>
    /// <param name="changes">Further settings of the exporter.</param>
    public static async Task<ServedRepairs> StartAsync(
        string release = "2.11.0", HarborApiUser? user = null, SimulationSettings? settings = null, params (string Name, string Value)[] changes)
    {
        var harbor = await TestHarbor.CreateAsync(release);
        var redis = await RedisServer.StartAsync();
        var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromHours(8), settings);
        await simulated.Simulation.MoveToRedisAsync(redis.Database);
        var api = await HarborApiServer.StartAsync(simulated.Simulation, new HarborApiSettings { Users = [HarborApiUser.Administrator, ServedHarbor.Guest] });
        user ??= HarborApiUser.Administrator;
        // The pace of requests goes by the real clock, which nobody has to move.
        var client = new HarborApiClient(ServedHarbor.SettingsFor(api.Address, user), TimeProvider.System);
        var acts = new ApiActs(client);
        ServedRepairs? served = null;
        var repairing = await RepairingHarbor.StartAsync(act: async (repair, token) =>
        {
            if (served is { Trouble: { } trouble })
            {
                served.Trouble = null;
                trouble(api);
            }
            return await acts.DoAsync(repair, token);
        }, harbor: harbor, redis: redis, changes:
        [
            (Setting.Names.ServiceHost, api.Address.Host), (Setting.Names.ServicePort, $"{api.Address.Port}"), (Setting.Names.ApiUsername, user.Name),
            (Setting.Names.ApiPassword, user.Password), .. changes,
        ]);
        return served = new ServedRepairs(harbor, redis, simulated, api, client, repairing);
    }

    /// <summary>Scans of images of their own that are lost six hours ago: nothing of their jobs is left in Redis.</summary>
    public async Task<IReadOnlyList<long>> LoseAsync(int scans)
    {
        await _simulated.CatchUpAsync(TimeSpan.FromHours(6));
        var tasks = await _simulated.ScanAsync(scans, "lost");
        foreach (var task in tasks) await Simulation.LoseJobAsync(task, TestContext.Current.CancellationToken);
        return tasks;
    }

    /// <summary>Leads Harbor's clock up to the database's, and looks as often as a repair needs.</summary>
    public async Task SeeTwiceAsync()
    {
        await CatchUpAsync();
        await Repairing.SeeTwiceAsync();
        await CatchUpAsync();
    }

    /// <summary>Leads Harbor's clock up to the database's, while no request of the API uses it.</summary>
    public Task CatchUpAsync() => Api.RunAsync(_ => _simulated.CatchUpAsync(), TestContext.Current.CancellationToken);

    /// <summary>Makes all that is in the audit older.</summary>
    public Task AgeAuditAsync(TimeSpan age) => _harbor.Database.ExecuteAsync(FormattableString.Invariant(
        $"update harbor_scan.repair set at = at - interval '{age.TotalSeconds} seconds', ended_at = ended_at - interval '{age.TotalSeconds} seconds'"));

    public Task<T> ScalarAsync<T>(string sql) => _harbor.Database.ScalarAsync<T>(sql);

    public Task ExecuteAsync(string sql) => _harbor.Database.ExecuteAsync(sql);

    /// <summary>The audit, a line each: action, state, failure.</summary>
    public Task<string> AuditAsync() => ScalarAsync<string>("select coalesce(string_agg(concat_ws(' ', action, state, failure), E'\\n' order by id), '') from harbor_scan.repair");

    public async ValueTask DisposeAsync()
    {
        await Repairing.DisposeAsync();
        _client.Dispose();
        await Api.DisposeAsync();
        await _simulated.DisposeAsync();
        await _redis.DisposeAsync();
        await _harbor.DisposeAsync();
    }
}

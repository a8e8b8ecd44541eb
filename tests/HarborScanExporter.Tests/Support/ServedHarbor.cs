using HarborScanExporter.HarborApi;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Simulator;
using HarborSimulator;
using HarborSimulator.Api;

namespace HarborScanExporter.Tests.Support;

/// <summary>A simulated Harbor, its API, and clients of it.</summary>
internal sealed class ServedHarbor : IAsyncDisposable
{
    /// <summary>Signs in and may do nothing.</summary>
    public static readonly HarborApiUser Guest = new("guest", "planted-guest-password-51e0", IsAdministrator: false);

    private readonly List<IDisposable> _clients = [];

    private ServedHarbor(Simulated simulated, HarborApiServer api) => (Simulated, Api) = (simulated, api);

    public Simulated Simulated { get; }

    public HarborApiServer Api { get; }

    public HarborSimulation Harbor => Simulated.Harbor;

    public static async Task<ServedHarbor> StartAsync(string release = "2.11.0", HarborApiSettings? settings = null)
    {
        var simulated = await Simulated.StartAsync(release);
        settings ??= new HarborApiSettings { Users = [HarborApiUser.Administrator, Guest] };
        return new ServedHarbor(simulated, await HarborApiServer.StartAsync(simulated.Harbor, settings, TestContext.Current.CancellationToken));
    }

    /// <summary>A client that signs in as a user, the administrator when not given.</summary>
    public HarborApiClient Client(HarborApiUser? user = null)
    {
        var client = new HarborApiClient(SettingsFor(Api.Address, user ?? HarborApiUser.Administrator), TimeProvider.System);
        _clients.Add(client);
        return client;
    }

    public static ApiSettings SettingsFor(Uri address, HarborApiUser user) => new() { Address = address, Username = user.Name, Password = user.Password };

    /// <summary>task.job_id.</summary>
    public Task<string> JobOfAsync(long task) => Simulated.OneAsync($"select job_id from task where id = {task}");

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        await Api.DisposeAsync();
        await Simulated.DisposeAsync();
    }
}

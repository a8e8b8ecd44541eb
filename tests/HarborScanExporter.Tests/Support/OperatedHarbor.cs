using System.Net.Http.Headers;
using System.Text;

namespace HarborScanExporter.Tests.Support;

/// <summary>A Harbor, an exporter whose operations listener is on, and the token file of that listener.</summary>
internal sealed class OperatedHarbor : IAsyncDisposable
{
    public const string Token = "planted-token-3f9c2b7e51d0";

    private readonly bool _ownsHarbor;
    private readonly string _folder;

    private OperatedHarbor(TestHarbor harbor, bool ownsHarbor, RunningExporter exporter, string folder) =>
        (Harbor, _ownsHarbor, Exporter, _folder) = (harbor, ownsHarbor, exporter, folder);

    public TestHarbor Harbor { get; }

    public RunningExporter Exporter { get; }

    public string TokenFile => Path.Combine(_folder, "token");

    public Uri Address => Exporter.OperationsAddress!;

    /// <param name="harbor">The Harbor to look at; one of its own when not given.</param>
    /// <param name="time">The clock that measures; the real one when not given.</param>
    /// <param name="changes">Further settings.</param>
    public static async Task<OperatedHarbor> StartAsync(TestHarbor? harbor = null, TimeProvider? time = null, params (string Name, string Value)[] changes)
    {
        var folder = Directory.CreateTempSubdirectory("harbor-operations-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "token"), Token + "\n");
        var watched = harbor ?? await TestHarbor.CreateAsync();
        var environment = watched.Environment([("HARBOR_SCAN_OPERATIONS_LISTEN", "http://127.0.0.1:0"), ("HARBOR_SCAN_OPERATIONS_TOKEN_FILE", Path.Combine(folder, "token")), .. changes]);
        return new OperatedHarbor(watched, harbor is null, await RunningExporter.StartAsync(environment, time), folder);
    }

    public static AuthenticationHeaderValue Bearer(string token = Token) => new("Bearer", token);

    public static AuthenticationHeaderValue Basic(string token = Token) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("anyone:" + token)));

    /// <summary>Asks the operations listener.</summary>
    public async Task<HttpResponseMessage> SendAsync(string method, string path, AuthenticationHeaderValue? credentials = null, Action<HttpRequestMessage>? change = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Address, path));
        request.Headers.Authorization = credentials;
        change?.Invoke(request);
        return await Exporter.Client.SendAsync(request);
    }

    /// <summary>The text that GET answers to the token.</summary>
    public async Task<string> GetAsync(string path)
    {
        using var answer = await SendAsync("GET", path, Bearer());
        return await answer.Content.ReadAsStringAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Exporter.DisposeAsync();
        if (_ownsHarbor) await Harbor.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

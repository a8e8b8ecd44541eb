using System.Net.Http.Json;
using System.Text.Json;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>A real Alertmanager.</summary>
internal sealed class AlertmanagerServer : IAsyncDisposable
{
    private readonly RunningTool _process;
    private readonly HttpClient _http;
    private readonly string _folder;

    private AlertmanagerServer(RunningTool process, HttpClient http, string folder) => (_process, _http, _folder) = (process, http, folder);

    /// <summary>host:port.</summary>
    public string Address => _http.BaseAddress!.Authority;

    public string Log => _process.Log;

    private const string KeepsToItself = """
        route: {receiver: nobody}
        receivers: [{name: nobody}]
        """;

    /// <param name="yaml">Its configuration; without one it tells nobody.</param>
    public static async Task<AlertmanagerServer> StartAsync(string? yaml = null)
    {
        var folder = Directory.CreateTempSubdirectory("alertmanager-").FullName;
        var configuration = Path.Combine(folder, "alertmanager.yml");
        await File.WriteAllTextAsync(configuration, yaml ?? KeepsToItself);
        var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Tool.FreePort()}/") };
        var process = await RunningTool.StartAsync("prometheus-alertmanager",
            [$"--config.file={configuration}", $"--storage.path={folder}", $"--web.listen-address={http.BaseAddress.Authority}", "--cluster.listen-address="],
            async () => (await http.GetAsync(new Uri("-/ready", UriKind.Relative))).IsSuccessStatusCode);
        return new AlertmanagerServer(process, http, folder);
    }

    /// <summary>The labels of every alert that it holds as active.</summary>
    public async Task<IReadOnlyList<IReadOnlyDictionary<string, string>>> ActiveAsync()
    {
        var alerts = await _http.GetFromJsonAsync<List<JsonElement>>("api/v2/alerts?active=true") ?? [];
        return [.. alerts.Select(alert => alert.GetProperty("labels").EnumerateObject()
            .ToDictionary(label => label.Name, label => label.Value.GetString() ?? "", StringComparer.Ordinal))];
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

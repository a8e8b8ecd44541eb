using System.Net;
using HarborScanExporter.Hosting;
using HarborScanExporter.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace HarborScanExporter.Tests.Support;

/// <summary>The real exporter in this process, on a port of its own.</summary>
internal sealed class RunningExporter : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RunningExporter(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.First());
        OperationsAddress = app.Urls.Skip(1).Select(url => new Uri(url)).SingleOrDefault();
        Client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public Uri Address { get; }

    /// <summary>The second listener; null when it is off.</summary>
    public Uri? OperationsAddress { get; }

    public HttpClient Client { get; }

    /// <summary>What it has logged at Warning and above, oldest first.</summary>
    public IReadOnlyList<string> Warnings =>
        [.. Logs.GetSnapshot().Where(record => record.Level >= LogLevel.Warning).Select(record => record.Exception is null ? record.Message : $"{record.Message} {record.Exception}")];

    /// <summary>Everything it has logged.</summary>
    public FakeLogCollector Logs => _app.Services.GetRequiredService<FakeLogCollector>();

    public IServiceProvider Services => _app.Services;

    /// <param name="environment">Its settings.</param>
    /// <param name="time">The clock that measures; the real one when not given.</param>
    public static async Task<RunningExporter> StartAsync(IReadOnlyDictionary<string, string> environment, TimeProvider? time = null)
    {
        var reading = SettingsReader.Read(environment, new Dictionary<string, string>());
        Assert.Empty(reading.Errors);
        var app = Exporter.Build(reading.Settings!, builder =>
        {
            builder.Logging.ClearProviders().AddFakeLogging();
            if (time is not null) builder.Services.AddSingleton(time);
        });
        await app.StartAsync();
        return new RunningExporter(app);
    }

    public static Task<RunningExporter> StartAsync(TestHarbor harbor, params (string Name, string Value)[] changes) =>
        StartAsync(harbor.Environment(changes));

    public static Task<RunningExporter> StartAsync(TestHarbor harbor, TimeProvider time, params (string Name, string Value)[] changes) =>
        StartAsync(harbor.Environment(changes), time);

    /// <summary>One scrape.</summary>
    public async Task<MetricsDocument> ScrapeAsync(double? timeoutSeconds = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        if (timeoutSeconds is { } seconds)
            request.Headers.Add("X-Prometheus-Scrape-Timeout-Seconds", seconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
        using var response = await Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new MetricsDocument(await response.Content.ReadAsStringAsync());
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}

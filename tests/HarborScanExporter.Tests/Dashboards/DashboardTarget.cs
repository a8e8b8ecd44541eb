using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>What the dashboards' Prometheus scrapes: an endpoint that shows one situation.</summary>
internal sealed class DashboardTarget : IAsyncDisposable
{
    private readonly ScanSituation _situation;
    private WebApplication? _application;
    private int _scrapes;

    private DashboardTarget(ScanSituation situation) => _situation = situation;

    /// <summary>A Harbor whose queue moves, seen with the default settings.</summary>
    public static DashboardTarget Healthy() => new(ScanSituation.Healthy);

    /// <summary>A Harbor with every fault that a dashboard lists, seen with every optional collector.</summary>
    public static DashboardTarget Faulty() => new(ScanSituation.Faulty);

    /// <summary>Starts it on a free loopback port and returns the address of its metrics.</summary>
    public async Task<Uri> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _application = builder.Build();
        _application.Urls.Add("http://127.0.0.1:0");
        _application.MapGet("/metrics", () => Results.Text(
            Exposition.Write(_situation, Interlocked.Increment(ref _scrapes), DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0),
            "text/plain; version=0.0.4; charset=utf-8"));
        await _application.StartAsync();
        return new Uri(new Uri(_application.Urls.Single()), "/metrics");
    }

    public async ValueTask DisposeAsync()
    {
        if (_application is not null) await _application.DisposeAsync();
    }
}

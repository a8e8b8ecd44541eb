using HarborScanExporter.Harbor;
using HarborScanExporter.JobService;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.JobService;

/// <summary>A scrape and a repair that look at the same time share one connection.</summary>
public sealed class SharedConnectionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_look_that_waits_in_vain_leaves_the_other_its_connection()
    {
        await using var redis = await RedisServer.StartAsync();
        await new JobServiceSeed(redis).UpAsync();
        await using var proxy = new FreezableProxy("127.0.0.1", redis.Port);
        var settings = new JobServiceSettings { Redis = RedisSettings.Parse(redis.UrlOf(RedisServer.Number, port: proxy.Port), out _), Namespace = "harbor_job_service_namespace" };
        await using var connection = new RedisConnection(settings);
        using var reader = new EvidenceReader(connection, settings.Namespace);
        Assert.Equal(EvidenceState.Usable, (await reader.ReadAsync([], TimeSpan.FromMinutes(1), Token)).State);
        proxy.Freeze();
        var patient = reader.ReadAsync([], TimeSpan.FromMinutes(1), Token);
        var hurried = await reader.ReadAsync([], TimeSpan.FromMilliseconds(200), Token);
        Assert.Equal(EvidenceState.Unreachable, hurried.State);
        Assert.StartsWith($"{connection.Address} still answers another look of this exporter (no answer in time).", hurried.Problem, StringComparison.Ordinal);
        Assert.False(patient.IsCompleted);
        proxy.Thaw();
        Assert.Equal(EvidenceState.Usable, (await patient).State);
        Assert.Equal(1, proxy.Connections);
    }
}

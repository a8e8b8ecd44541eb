using System.Net;
using System.Net.Sockets;
using HarborScanExporter.Database.Session;
using HarborScanExporter.HarborApi;
using HarborScanExporter.JobService;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Tests.Settings;

/// <summary>Hosts as people and Kubernetes write them.</summary>
public sealed class HostTests
{
    private static readonly (string Name, string Value)[] Signed = [("HARBOR_API_USERNAME", "robot"), ("HARBOR_API_PASSWORD", "hunter2")];

    [Theory]
    [InlineData("fd00::1", "http://[fd00::1]/")]
    [InlineData("[fd00::1]", "http://[fd00::1]/")]
    [InlineData("::1", "http://[::1]/")]
    [InlineData("2001:DB8:0:0:0:0:0:7", "http://[2001:db8::7]/")]
    [InlineData("::ffff:10.0.0.3", "http://[::ffff:10.0.0.3]/")]
    [InlineData("10.0.0.3", "http://10.0.0.3/")]
    [InlineData("core", "http://core/")]
    [InlineData("harbor_core.harbor.svc", "http://harbor_core.harbor.svc/")]
    public void Harbors_API_has_a_name_or_an_address_with_brackets_or_without(string host, string address)
    {
        var reading = Read([("HARBOR_SERVICE_HOST", host), .. Signed]);
        Assert.Empty(reading.Errors);
        Assert.Equal(new Uri(address), reading.Settings!.Api!.Address);
    }

    [Theory]
    [InlineData("http://core")]
    [InlineData("core:8080")]
    [InlineData("core/")]
    [InlineData("[core]")]
    [InlineData("[fd00::1]:8080")]
    [InlineData("fd00::1/64")]
    [InlineData("fd00:::1")]
    public void What_is_no_host_is_refused(string host) =>
        Assert.Equal([$"HARBOR_SERVICE_HOST: {host} is no host name. Give the host alone, without scheme, port or path."], Read([("HARBOR_SERVICE_HOST", host), .. Signed]).Errors);

    [Fact]
    public void The_variables_of_a_service_called_harbor_in_a_cluster_of_IPv6_do_not_stop_the_start()
    {
        (string, string)[] injected =
        [
            ("HARBOR_SERVICE_HOST", "fd00:10:96::a1b2"), ("HARBOR_SERVICE_PORT", "80"), ("HARBOR_SERVICE_PORT_HTTP", "80"), ("HARBOR_PORT", "tcp://[fd00:10:96::a1b2]:80"),
            ("HARBOR_PORT_80_TCP", "tcp://[fd00:10:96::a1b2]:80"), ("HARBOR_PORT_80_TCP_ADDR", "fd00:10:96::a1b2"), ("HARBOR_PORT_80_TCP_PORT", "80"), ("HARBOR_PORT_80_TCP_PROTO", "tcp"),
            ("HARBOR_DATABASE_PORT", "tcp://[fd00:10:96::1]:5432"), ("HARBOR_DATABASE_SERVICE_HOST", "fd00:10:96::1"), ("HARBOR_SCAN_EXPORTER_PORT", "tcp://[fd00:10:96::2]:10988"),
        ];
        var bare = Read(injected);
        Assert.Empty(bare.Errors);
        Assert.Null(bare.Settings!.Api);
        var signed = Read([.. injected, .. Signed]);
        Assert.Empty(signed.Errors);
        Assert.Equal(new Uri("http://[fd00:10:96::a1b2]:80/"), signed.Settings!.Api!.Address);
    }

    [Theory]
    [InlineData("fd00::1", "fd00::1")]
    [InlineData("[fd00::1]", "fd00::1")]
    [InlineData("10.0.0.3", "10.0.0.3")]
    [InlineData("db", "db")]
    [InlineData("/var/run/postgresql", "/var/run/postgresql")]
    public void The_database_too_has_an_address_with_brackets_or_without(string host, string read)
    {
        var reading = SettingsReader.Read(new Dictionary<string, string> { ["HARBOR_DATABASE_HOST"] = host, ["HARBOR_DATABASE_USERNAME"] = "scraper" }, new Dictionary<string, string>());
        Assert.Empty(reading.Errors);
        Assert.Equal(read, reading.Settings!.Database.Host);
    }

    [Theory]
    [InlineData("redis://fd00::1/1")]
    [InlineData("redis://fd00::1:6379/1")]
    [InlineData("redis://:hunter2@fd00::1:6379/1")]
    [InlineData("rediss+sentinel://a:26379,fd00::1:26379/mymaster/1")]
    public void In_the_URL_of_Redis_an_address_without_brackets_could_mean_two_things(string url) =>
        Assert.Equal(["HARBOR_REDIS_URL: its host is an IPv6 address without brackets, whose end could be a port. Write [<address>]:<port>."], Read([("HARBOR_REDIS_URL", url)]).Errors);

    [Theory]
    [InlineData("::1")]
    [InlineData("[::1]")]
    public async Task Connections_go_to_the_address(string host)
    {
        using var server = new TcpListener(IPAddress.IPv6Loopback, 0);
        server.Start();
        var port = $"{((IPEndPoint)server.LocalEndpoint).Port}";
        var settings = Read(
        [
            ("HARBOR_SERVICE_HOST", host), ("HARBOR_SERVICE_PORT", port), ("HARBOR_DATABASE_HOST", host), ("HARBOR_DATABASE_PORT", port), ("HARBOR_REDIS_URL", $"redis://[::1]:{port}/1"), .. Signed,
        ]).Settings!;
        await ArrivesAsync(async token =>
        {
            using var api = new SystemInfoClient(settings.Api!, TimeProvider.System);
            await api.AskAsync(token);
        });
        await ArrivesAsync(async token =>
        {
            await using var database = DataSource.Of(settings.Database, TimeSpan.FromSeconds(5), 1, "test");
            await using var connection = await database.OpenConnectionAsync(token);
        });
        await ArrivesAsync(async token =>
        {
            await using var redis = new RedisConnection(settings.JobService!);
            await redis.OpenAsync(TimeSpan.FromSeconds(5), token);
        });

        async Task ArrivesAsync(Func<CancellationToken, Task> connect)
        {
            using var giveUp = new CancellationTokenSource();
            var connecting = Task.Run(() => connect(giveUp.Token));
            using (await server.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)) { }
            // Nobody answers there: what comes of it is no matter.
            await giveUp.CancelAsync();
            await Record.ExceptionAsync(() => connecting.WaitAsync(TimeSpan.FromSeconds(30)));
            while (server.Pending()) server.AcceptTcpClient().Dispose();
        }
    }

    private static SettingsReading Read(IEnumerable<(string Name, string Value)> environment) => SettingsReader.Read(
        environment.Prepend(("HARBOR_DATABASE_HOST", "db")).Append(("HARBOR_DATABASE_USERNAME", "scraper")).GroupBy(pair => pair.Item1).ToDictionary(same => same.Key, same => same.Last().Item2),
        new Dictionary<string, string>());
}

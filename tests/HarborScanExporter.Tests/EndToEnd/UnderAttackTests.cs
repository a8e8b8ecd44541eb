using System.Globalization;
using System.Net;
using HarborScanExporter.Benchmarks.Attacks;
using HarborScanExporter.Observation;
using HarborScanExporter.Tests.Deploy;
using HarborScanExporter.Tests.Http;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// A client without a token, in the memory of the shipped manifests: each attack ended an exporter, or silenced it, whose connections had only
/// the server's own bounds. scripts/attack.sh does the same for longer, and from the address of those who ask honestly, as behind a proxy.
/// </summary>
[Collection(nameof(Alone))]
public sealed class UnderAttackTests(ITestOutputHelper output)
{
    /// <summary>Long enough for each of them to have ended it.</summary>
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(14);

    public static TheoryData<string> Attacks() => [Attack.Pipelining.Name, Attack.UnfinishedHeaders.Name, Attack.NeverReading.Name];

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task Every_honest_scrape_and_probe_is_answered_within_the_memory_of_the_manifests(string name)
    {
        var attack = new[] { Attack.Pipelining, Attack.UnfinishedHeaders, Attack.NeverReading }.Single(one => one.Name == name);
        await using var harbor = await TestHarbor.CreateAsync();
        using var limit = MemoryLimit.Of(OfTheManifests());
        var environment = harbor.Environment();
        foreach (var (variable, value) in limit.Environment) environment[variable] = value;
        await using var exporter = await ExporterProcess.StartAsync(environment, limit.Command);
        var target = new IPEndPoint(IPAddress.Loopback, exporter.Address.Port);

        var figures = await AttackFigures.RunAsync(attack, target, AttackFigures.Elsewhere, target, Time, TestContext.Current.CancellationToken);

        var peak = MemoryLimit.PeakOf(exporter.Id);
        output.WriteLine($"{limit.Kind}; {figures}; peak {peak / 1048576} MiB");
        Assert.False(exporter.HasExited, $"It ended. {figures}");
        Assert.Equal((0, null), (figures.Scrapes.Failed, figures.Scrapes.FirstFailure));
        Assert.Equal((0, null), (figures.Health.Failed, figures.Health.FirstFailure));
        Assert.True(figures.Scrapes.Answered > 0);
        // Twice what is promised, which is what the shipped probe waits for: the attack shares the processors of this machine with the exporter.
        Assert.InRange(figures.Health.Longest, TimeSpan.Zero, 2 * AttackFigures.LongestHealth);
        Assert.InRange(peak, 1, limit.Bytes);
        Assert.True(figures.Connections >= attack.Connections / 2, $"Only {figures.Connections} connections were opened.");
        // However long it goes on, it is told once.
        Assert.InRange(exporter.Log.Split('\n').Count(line => line.Contains("\"LogLevel\":\"Warning\"", StringComparison.Ordinal)), 0, 3);
        Assert.DoesNotContain("\"LogLevel\":\"Error\"", exporter.Log, StringComparison.Ordinal);
    }

    private static long OfTheManifests()
    {
        var container = Assert.Single(Yaml.Read("deploy", "kubernetes", "deployment.yaml")["spec"]["template"]["spec"]["containers"].Items);
        var limit = container["resources"]["limits"]["memory"].Text;
        Assert.EndsWith("Mi", limit, StringComparison.Ordinal);
        return long.Parse(limit[..^2], CultureInfo.InvariantCulture) * 1024 * 1024;
    }
}

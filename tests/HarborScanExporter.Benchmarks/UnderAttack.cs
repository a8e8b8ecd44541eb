using System.Globalization;
using System.Net;
using HarborScanExporter.Benchmarks.Attacks;

namespace HarborScanExporter.Benchmarks;

/// <summary>Attacks the exporter in the memory of the shipped manifests, from this machine alone, and looks at what others notice.</summary>
/// <param name="native">The published binary.</param>
/// <param name="seconds">How long each attack lasts.</param>
internal sealed class UnderAttack(string native, int seconds)
{
    /// <summary>The limit of deploy/kubernetes.</summary>
    private const long Memory = 384L * 1024 * 1024;

    private const int Tasks = 10_000;

    /// <summary>Runs them and prints the table.</summary>
    /// <returns>Every promise that was broken; empty when none was.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(string postgres, CancellationToken cancellationToken)
    {
        await using var server = await PrivatePostgres.StartAsync(postgres);
        await using var redis = await PrivateRedis.StartAsync();
        var harbor = await FilledHarbor.CreateAsync(server, "harbor_attack", Tasks);
        using var everything = new EverythingOn(redis);
        using var limit = MemoryLimit.Of(Memory);
        await using var exporter = MeasuredExporter.Start(native, harbor, everything.Settings, limit);
        await exporter.CompleteAsync(cancellationToken);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Memory / 1048576} MiB by {limit.Kind}; {Machine.Describe()}"));
        Console.WriteLine();
        Console.WriteLine("| Attack | At | Connections at once | opened | Sent | Time | Processor | Memory, peak so far | Scrapes | failed | longest | /healthz | failed | longest |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        List<string> broken = [];
        var metrics = new IPEndPoint(IPAddress.Loopback, exporter.Port);
        var operations = new IPEndPoint(IPAddress.Loopback, everything.OperationsPort);
        foreach (var (attack, at, from, name) in new[]
        {
            (Attack.Pipelining, metrics, AttackFigures.Elsewhere, "metrics"),
            (Attack.UnfinishedHeaders, metrics, AttackFigures.Elsewhere, "metrics"),
            (Attack.NeverReading, metrics, AttackFigures.Elsewhere, "metrics"),
            (Attack.UnfinishedHeaders, operations, AttackFigures.Elsewhere, "operations"),
            (Attack.UnfinishedHeaders, metrics, metrics.Address, "metrics, from the scraper's address"),
            (Attack.NeverReading, metrics, metrics.Address, "metrics, from the scraper's address"),
        })
        {
            var before = exporter.Use().Processor;
            var figures = await AttackFigures.RunAsync(attack, at, from, metrics, TimeSpan.FromSeconds(seconds), cancellationToken);
            broken.AddRange(figures.Broken);
            if (exporter.HasExited)
            {
                broken.Add($"{attack.Name}: the process ended");
                break;
            }
            Print(figures, name, MemoryLimit.PeakOf(exporter.ProcessId), exporter.Use().Processor - before);
        }
        return broken;
    }

    private static void Print(AttackFigures figures, string at, long peak, TimeSpan processor) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"| {figures.Attack.Name} | {at} | {figures.Attack.Connections:#,0} | {figures.Connections:#,0} | {figures.Bytes / 1048576.0:#,0} MiB | {figures.Time.TotalSeconds:F0} s | {processor.TotalSeconds:F0} s | {peak / 1048576.0:F0} MiB | {figures.Scrapes.Answered} | {figures.Scrapes.Failed} | {figures.Scrapes.Longest.TotalMilliseconds:F0} ms | {figures.Health.Answered} | {figures.Health.Failed} | {figures.Health.Longest.TotalMilliseconds:F0} ms |"));
}

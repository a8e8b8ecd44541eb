using System.Globalization;

namespace HarborScanExporter.Benchmarks;

/// <summary>
/// Scrapes the exporter, with everything on, so many times while a simulated Harbor lives on, and looks at what its process and its sessions
/// hold. Time and again its database sessions are ended or its Redis connections closed, since what leaks mostly leaks where something fails.
/// </summary>
/// <param name="native">The published binary.</param>
/// <param name="scrapes">Scrapes in all.</param>
/// <param name="pushesPerHour">How busy the simulated Harbor is.</param>
/// <param name="settings">Settings of the exporter beyond those that turn everything on.</param>
internal sealed class Soak(string native, int scrapes, int pushesPerHour, IReadOnlyDictionary<string, string> settings)
{
    /// <summary>Scrapes between two looks.</summary>
    public const int PerSample = 1_000;

    /// <summary>Looks between two faults: the shortest run sees both kinds.</summary>
    private const int SamplesPerFault = 3;

    /// <summary>Scrapes that one fault may make fail: the one under way, and those while Redis is connected anew.</summary>
    private const int FailuresPerFault = 100;

    private const string Drift = "harbor_scan_reconciliation_drift_total";

    // Below 8,000 scrapes, looks lie closer together, so that there are quarters to compare.
    private int ScrapesPerSample => Math.Min(PerSample, scrapes / SoakJudge.LeastSamples);

    /// <summary>Runs it and prints the table.</summary>
    /// <returns>What is not as it should be; empty when all is flat.</returns>
    public async Task<IReadOnlyList<string>> RunAsync(string postgres, CancellationToken cancellationToken)
    {
        await using var server = await PrivatePostgres.StartAsync(postgres, "autovacuum = on");
        await using var redis = await PrivateRedis.StartAsync();
        var harbor = await FilledHarbor.CreateEmptyAsync(server, "harbor_soak");
        Progress.Say("soak: simulating the past");
        await using var simulator = await PlayedHarbor.StartAsync(harbor, redis, pushesPerHour, cancellationToken);
        await harbor.GrantAsync();
        using var everything = new EverythingOn(redis);
        MeasuredExporter.TellsTrouble = false;
        await using var exporter = MeasuredExporter.Start(native, harbor, everything.Settings.Concat(settings));
        await exporter.CompleteAsync(cancellationToken);
        Progress.Say($"soak: scraping {Progress.Count(scrapes)} times");
        Console.WriteLine("| Scrapes | Memory | Handles | Threads | Connections | p50 | p99 | Failed | Tasks | Fault before |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        List<SoakSample> samples = [];
        var (faults, done, fault, drift) = (0, 0, "", 0.0);
        while (done < scrapes)
        {
            var (times, last, failed) = await exporter.RepeatAsync(Math.Min(ScrapesPerSample, scrapes - done), cancellationToken);
            done += times.Count;
            var sample = new SoakSample(done, exporter.Use(), await ConnectionsAsync(harbor), times, failed, await harbor.ScalarAsync<long>("select count(*) from task"));
            samples.Add(sample);
            if (last.Has(Drift)) drift = last.Sum(Drift);
            Print(sample, fault);
            if (!simulator.IsAlive) return ["the simulator ended"];
            fault = samples.Count % SamplesPerFault == 0 ? await BreakAsync(harbor, redis, faults++) : "";
        }
        var judged = SoakJudge.Judge(samples);
        Console.WriteLine();
        foreach (var (line, _) in judged) Console.WriteLine(line);
        var failures = samples.Sum(sample => sample.Failed);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{failures} of {done} scrapes were no success by their own word, with {faults} faults made"));
        List<string> wrong = [.. judged.Where(row => !row.Holds).Select(row => row.Line)];
        if (failures > faults * FailuresPerFault) wrong.Add($"{failures} scrapes failed, more than {FailuresPerFault} for each fault");
        if (drift > 0) wrong.Add($"{Drift} is {drift.ToString(CultureInfo.InvariantCulture)}: open rows were not known between two reconciliations");
        return wrong;
    }

    private static async Task<string> BreakAsync(FilledHarbor harbor, PrivateRedis redis, int number)
    {
        if (number % 2 == 0)
        {
            await harbor.EndSessionsAsync(FilledHarbor.Role);
            await harbor.EndSessionsAsync(FilledHarbor.RemediationRole);
            return "sessions ended";
        }
        await redis.DisconnectExporterAsync();
        return "Redis disconnected";
    }

    private static Task<long> ConnectionsAsync(FilledHarbor harbor) =>
        harbor.ScalarAsync<long>($"select count(*) from pg_stat_activity where usename in ('{FilledHarbor.Role}', '{FilledHarbor.RemediationRole}')");

    private static void Print(SoakSample sample, string fault) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"| {sample.Scrapes:#,0} | {sample.Use.Resident / 1048576.0:F1} MiB | {sample.Use.Handles} | {sample.Use.Threads} | {sample.Connections} | {sample.Scrape.Median.TotalMilliseconds:F1} ms | {sample.Scrape.P99.TotalMilliseconds:F1} ms | {sample.Failed} | {sample.Tasks:#,0} | {fault} |"));
}

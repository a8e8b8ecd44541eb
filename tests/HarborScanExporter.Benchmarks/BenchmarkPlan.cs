using System.Diagnostics;
using System.Globalization;

namespace HarborScanExporter.Benchmarks;

/// <summary>What is measured, one after the other, so that no measurement runs beside another.</summary>
/// <param name="tasks">Tasks, and executions.</param>
/// <param name="scrapes">Warm scrapes of the main measurement.</param>
/// <param name="native">The published binary; null measures the application in this process alone.</param>
internal sealed class BenchmarkPlan(int tasks, int scrapes, string? native)
{
    private const int Open = 200;
    private const int Concurrent = 50;

    /// <summary>Scrapes between the two looks at the memory; a small Harbor with as many open tasks, whose rows are what is kept in memory.</summary>
    private const int MemoryScrapes = 200;

    private const int MemoryTasks = 10_000;

    /// <summary>Repetitions where a median is wanted and nothing else.</summary>
    private int Few => Math.Min(Scrapes, 10);

    private int _failed;

    public int Tasks => tasks;

    public int Scrapes => scrapes;

    public string? Native => native;

    public async Task<BenchmarkReport> RunAsync(PrivatePostgres server, CancellationToken cancellationToken)
    {
        var report = new BenchmarkReport(this);
        if (Native is not null) await StartsAsync(await FilledHarbor.CreateAsync(server, "harbor_empty"), "an empty Harbor", times: 20, limit: TimeSpan.FromSeconds(0.5), report, cancellationToken);

        if (Native is not null)
            await MemoryAsync(await FilledHarbor.CreateAsync(server, "harbor_small", MemoryTasks, Open, TimeSpan.FromHours(2)), report, cancellationToken);

        Say("filling: a usual day");
        var usual = await FilledHarbor.CreateAsync(server, "harbor_usual", Tasks, Open, TimeSpan.FromHours(2));
        report.ServerVersion = await usual.ScalarAsync<string>("select split_part(current_setting('server_version'), ' ', 1)");
        await MainAsync(usual, report, cancellationToken);
        if (Native is not null) await StartsAsync(usual, Count(Tasks) + " tasks", times: 5, limit: null, report, cancellationToken);

        // A scan-all that waits its turn, and one whose jobs are gone: each of its tasks is then looked up by key.
        var many = Tasks * 36 / 1000;
        Say("filling: a scan-all in its queue");
        await TimesAsync(await FilledHarbor.CreateAsync(server, "harbor_backlog", Tasks, many, TimeSpan.FromHours(2)), $"{Count(many)} open, queued", report, cancellationToken);
        Say("filling: a scan-all whose jobs are lost");
        await TimesAsync(await FilledHarbor.CreateAsync(server, "harbor_outage", Tasks, many, TimeSpan.FromDays(7)), $"{Count(many)} open, lost", report, cancellationToken);
        report.Add("Scrapes that failed, of all", Count(_failed), "0", _failed == 0);
        return report;
    }

    private async Task MemoryAsync(FilledHarbor harbor, BenchmarkReport report, CancellationToken cancellationToken)
    {
        Say($"scraping {MemoryScrapes} times for the memory");
        await using var exporter = await StartAsync(harbor);
        await exporter.ScrapeAsync(cancellationToken);
        var first = exporter.ResidentMemory();
        await RepeatAsync(exporter, MemoryScrapes - 1, cancellationToken);
        report.Add($"Resident memory of the native process after 1 and after {MemoryScrapes} scrapes, {Count(MemoryTasks)} tasks, {Open} open",
            $"{Mebibytes(first)} and {Mebibytes(exporter.ResidentMemory())}", "", true);
    }

    private async Task StartsAsync(FilledHarbor harbor, string what, int times, TimeSpan? limit, BenchmarkReport report, CancellationToken cancellationToken)
    {
        Say($"starting {times} times: {what}");
        var took = new List<TimeSpan>();
        for (var start = 0; start < times; start++)
        {
            var begun = Stopwatch.GetTimestamp();
            await using var exporter = MeasuredExporter.StartNative(Native!, harbor);
            await exporter.AnswersAsync(cancellationToken);
            took.Add(Stopwatch.GetElapsedTime(begun));
        }
        var spread = Spread.Of(took);
        report.Add($"Process start until /metrics has answered 200, {what}", spread, limit is { } most ? $"median < {most.TotalMilliseconds:F0} ms" : "", limit is null || spread.Median < limit);
    }

    private async Task MainAsync(FilledHarbor harbor, BenchmarkReport report, CancellationToken cancellationToken)
    {
        Say($"scraping {Scrapes} times");
        var pages = await harbor.ScalarAsync<long>("select relpages::bigint from pg_class where relname = 'task'");
        var executionPages = await harbor.ScalarAsync<long>("select relpages::bigint from pg_class where relname = 'execution'");
        var before = await DatabaseWork.CountedAsync(harbor);
        MetricsText text;
        await using (var exporter = await StartAsync(harbor))
        {
            // The first scrape warms the caches; it is counted as work like every other.
            (_, text) = await exporter.ScrapeAsync(cancellationToken);
            var times = await RepeatAsync(exporter, Scrapes - 1, cancellationToken);
            report.Add($"Scrape, {Open} open, {(Native is null ? "in process (JIT)" : "native binary")}", times, "", true);
            if (Native is not null)
                report.Add($"Resident memory of the native process after these {Scrapes}", Mebibytes(exporter.ResidentMemory()), "", true);
        }
        var work = (await DatabaseWork.CountedAsync(harbor)).Since(before, Scrapes);
        report.Add("Reads of the whole table `task` per scrape", Number(work.Tables["task"].SequentialScans), "1", work.Tables["task"].SequentialScans == 1);
        report.Add("Reads of the whole table `execution` per scrape", Number(work.Tables["execution"].SequentialScans), "1", work.Tables["execution"].SequentialScans == 1);
        report.Add($"Pages of `task` per scrape (the table has {Count(pages)})", Number(work.Tables["task"].HeapPages),
            Tasks == 1_000_000 ? "44,864" : "", Tasks != 1_000_000 || work.Tables["task"].HeapPages <= 44_864);
        report.Add($"Pages of `execution` per scrape (the table has {Count(executionPages)})", Number(work.Tables["execution"].HeapPages), "", true);
        report.Add("Pages of their indexes per scrape", Number(Outside(work, "task") + Outside(work, "execution")), "", true);
        report.Add("Pages of all other tables per scrape, with their indexes",
            Number(work.Tables.Where(table => table.Key is not ("task" or "execution")).Sum(table => table.Value.Pages)), "", true);
        report.Add("Bytes spilled to disk per scrape", Number(work.TemporaryBytes), "0", work.TemporaryBytes == 0);
        report.Add("Series of a scrape (of these `harbor_scan_*`)", $"{text.Series} ({text.OwnSeries})", "< 400", text.Series < 400);
        report.Add("Bytes of a scrape", Count(text.Bytes), "", true);
        report.Add("Open tasks counted by the exporter", Number(text.Sum("harbor_scan_stuck_tasks") + text.Sum("harbor_scan_live_tasks")), Count(Open),
            (int)(text.Sum("harbor_scan_stuck_tasks") + text.Sum("harbor_scan_live_tasks")) == Open);

        Say("scraping at the same time");
        await using (var exporter = await StartAsync(harbor))
        {
            var (_, first) = await exporter.ScrapeAsync(cancellationToken);
            var together = await Task.WhenAll(Enumerable.Range(0, Concurrent).Select(_ => exporter.ScrapeAsync(cancellationToken)));
            var collections = together.Max(scrape => scrape.Text.Sum("harbor_scan_collections_total")) - first.Sum("harbor_scan_collections_total");
            report.Add($"Collections for {Concurrent} scrapes at the same time", Number(collections), "1", collections == 1);
            report.Add($"Those {Concurrent} scrapes", Spread.Of([.. together.Select(scrape => scrape.Took)]), "", true);
        }
        if (Native is null) return;
        Say("scraping in this process");
        await using var inProcess = await MeasuredExporter.StartInProcessAsync(harbor);
        await inProcess.ScrapeAsync(cancellationToken);
        report.Add($"Scrape, {Open} open, in process (JIT)", await RepeatAsync(inProcess, Few, cancellationToken), "", true);
    }

    private async Task TimesAsync(FilledHarbor harbor, string what, BenchmarkReport report, CancellationToken cancellationToken)
    {
        Say($"scraping: {what}");
        var before = await DatabaseWork.CountedAsync(harbor);
        await using (var exporter = await StartAsync(harbor))
        {
            var (_, text) = await exporter.ScrapeAsync(cancellationToken);
            var times = await RepeatAsync(exporter, Few - 1, cancellationToken);
            report.Add($"Scrape, {what} ({Number(text.Sum("harbor_scan_stuck_tasks"))} stuck)", times, "", true);
            if (Native is not null) report.Add($"Resident memory of the native process after {Few} scrapes, {what}", Mebibytes(exporter.ResidentMemory()), "", true);
        }
        var work = (await DatabaseWork.CountedAsync(harbor)).Since(before, Few);
        report.Add($"Reads of the whole tables `task` and `execution` per scrape, {what}",
            $"{Number(work.Tables["task"].SequentialScans)} and {Number(work.Tables["execution"].SequentialScans)}", "1 and 1",
            work.Tables["task"].SequentialScans == 1 && work.Tables["execution"].SequentialScans == 1);
        report.Add($"Pages of all tables and indexes per scrape, {what}", Number(work.Tables.Values.Sum(table => table.Pages)), "", true);
        report.Add($"Bytes spilled to disk per scrape, {what}", Number(work.TemporaryBytes), "", true);
    }

    private Task<MeasuredExporter> StartAsync(FilledHarbor harbor) =>
        Native is null ? MeasuredExporter.StartInProcessAsync(harbor) : StartedAsync(MeasuredExporter.StartNative(Native, harbor));

    private static async Task<MeasuredExporter> StartedAsync(MeasuredExporter exporter)
    {
        await exporter.ListensAsync();
        return exporter;
    }

    private async Task<Spread> RepeatAsync(MeasuredExporter exporter, int times, CancellationToken cancellationToken)
    {
        var took = new List<TimeSpan>();
        for (var scrape = 0; scrape < times; scrape++)
        {
            var (time, text) = await exporter.ScrapeAsync(cancellationToken);
            if (text.Sum("harbor_scan_up") != 1) _failed++;
            took.Add(time);
        }
        return Spread.Of(took);
    }

    private static double Outside(DatabaseWork work, string table) => work.Tables[table].Pages - work.Tables[table].HeapPages;

    private static string Number(double value) => value.ToString("#,0.##", CultureInfo.InvariantCulture);

    private static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Mebibytes(long bytes) => FormattableString.Invariant($"{bytes / 1048576.0:F1} MiB");

    private static void Say(string what) => Console.Error.WriteLine($"{what} …");
}

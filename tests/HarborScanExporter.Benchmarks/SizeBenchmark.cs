namespace HarborScanExporter.Benchmarks;

/// <summary>What one scrape costs at one size of Harbor's tables, beside two exporters of plain queries on the same database.</summary>
/// <param name="native">The published binary.</param>
/// <param name="scrapes">Scrapes in the steady state.</param>
internal sealed class SizeBenchmark(string native, int scrapes)
{
    private const int WarmStarts = 3;

    /// <summary>Scrapes that let sockets, pools and caches settle before anything is measured.</summary>
    private const int Settling = 10;

    public async Task<SizeFigures> RunAsync(PrivatePostgres server, int tasks, CancellationToken cancellationToken)
    {
        Progress.Say($"{Progress.Count(tasks)} tasks: filling");
        var harbor = await FilledHarbor.CreateAsync(server, $"harbor_{tasks}", tasks);
        Progress.Say($"{Progress.Count(tasks)} tasks: filled in {harbor.Filling.TotalSeconds:F0} s; starting {WarmStarts} times");
        List<Start> starts = [];
        for (var start = 0; start < WarmStarts; start++)
        {
            await using var exporter = MeasuredExporter.Start(native, harbor);
            starts.Add(await exporter.CompleteAsync(cancellationToken));
        }
        Progress.Say($"{Progress.Count(tasks)} tasks: scraping {scrapes} times");
        var (times, last, failed, work, processor, resident) = await ScrapeAsync(harbor, cancellationToken);
        Progress.Say($"{Progress.Count(tasks)} tasks: {PlainExporter.PostgresExporter}");
        var postgresExporter = await PlainExporter.MeasurePostgresExporterAsync(harbor, cancellationToken);
        Progress.Say($"{Progress.Count(tasks)} tasks: {PlainExporter.SqlExporter}");
        var sqlExporter = await PlainExporter.MeasureSqlExporterAsync(harbor, cancellationToken);
        Progress.Say($"{Progress.Count(tasks)} tasks: starting cold");
        var wasDropped = await server.RestartColdAsync();
        Start cold;
        await using (var exporter = MeasuredExporter.Start(native, harbor)) cold = await exporter.CompleteAsync(cancellationToken);
        var figures = new SizeFigures
        {
            Tasks = tasks,
            TaskPages = await PagesAsync(harbor, "task"),
            ExecutionPages = await PagesAsync(harbor, "execution"),
            Filling = harbor.Filling,
            Warm = Start.MedianOf(starts),
            Cold = cold,
            WasPageCacheDropped = wasDropped,
            Scrape = times,
            Failed = failed,
            Work = work,
            Processor = processor,
            Resident = resident,
            Text = last,
            PostgresExporter = postgresExporter,
            SqlExporter = sqlExporter,
        };
        await harbor.DropAsync();
        return figures;
    }

    private async Task<(Spread Times, MetricsText Last, int Failed, DatabaseWork Work, TimeSpan Processor, long Resident)> ScrapeAsync(
        FilledHarbor harbor, CancellationToken cancellationToken)
    {
        await using var exporter = MeasuredExporter.Start(native, harbor);
        await exporter.CompleteAsync(cancellationToken);
        await exporter.RepeatAsync(Settling, cancellationToken);
        var before = await DatabaseWork.CountedAsync(harbor);
        var used = exporter.Use().Processor;
        var (times, last, failed) = await exporter.RepeatAsync(scrapes, cancellationToken);
        var use = exporter.Use();
        var work = (await DatabaseWork.CountedAsync(harbor)).Since(before, scrapes);
        return (times, last, failed, work, (use.Processor - used) / scrapes, use.Resident);
    }

    private static Task<long> PagesAsync(FilledHarbor harbor, string table) => harbor.ScalarAsync<long>($"select pg_relation_size('{table}') / 8192");
}

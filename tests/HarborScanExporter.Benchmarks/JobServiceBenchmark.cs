using System.Globalization;
using Npgsql;

namespace HarborScanExporter.Benchmarks;

/// <summary>What the evidence of a long queue costs: the same database scraped with and without the job service's Redis, in turns.</summary>
/// <param name="native">The published binary; null measures the application in this process.</param>
internal sealed class JobServiceBenchmark(string? native)
{
    /// <summary>The heading by which the section is found again in the file that holds it.</summary>
    public const string Heading = "## The job service's Redis";

    private const int Finished = 50_000;
    private const int Open = 36_000;

    /// <summary>What the filling itself leaves open; the rest is added.</summary>
    private const int Few = 200;

    private const string BacklogSql = """
        insert into task (execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, update_time, vendor_type)
        select execution_id, left(md5('backlog ' || number), 24), status, status_code, status_revision, '', 0, extra_attrs, creation_time, update_time, vendor_type
        from (select * from task where status = 'Pending' and vendor_type = 'SCAN_ALL' order by id limit 1) as waiting
        cross join generate_series(1, @more) as number
        """;

    private const int ItemBytes = 3_000;
    private const int Scrapes = 41;
    private const int MemoryScrapes = 500;

    private const double MostBytes = 5_000_000;
    private static readonly TimeSpan MostTime = TimeSpan.FromMilliseconds(150);

    private readonly Figures _figures = new();
    private readonly string _loadBefore = Machine.Load();

    public IReadOnlyList<string> Missed => _figures.Missed;

    public async Task RunAsync(PrivatePostgres server, CancellationToken cancellationToken)
    {
        Console.Error.WriteLine("filling: a long queue in Redis");
        var harbor = await FilledHarbor.CreateAsync(server, "harbor_queue", Finished, Few, TimeSpan.FromHours(2));
        await AddBacklogAsync(harbor, Open - Few, cancellationToken);
        await using var redis = await PrivateRedis.StartAsync();
        await redis.FillAsync(await JobsAsync(harbor), ItemBytes);
        await using var without = await StartAsync(harbor);
        await using var with = await StartAsync(harbor, ("HARBOR_REDIS_URL", redis.Url));
        for (var i = 0; i < 3; i++)
        {
            await without.ScrapeAsync(cancellationToken);
            await with.ScrapeAsync(cancellationToken);
        }
        Console.Error.WriteLine($"scraping {Scrapes} times with and without Redis");
        List<TimeSpan> alone = [], together = [];
        long bytes = 0;
        MetricsText? text = null;
        for (var i = 0; i < Scrapes; i++)
        {
            alone.Add((await without.ScrapeAsync(cancellationToken)).Took);
            var before = await redis.OutputBytesAsync();
            (var took, text) = await with.ScrapeAsync(cancellationToken);
            together.Add(took);
            bytes += await redis.OutputBytesAsync() - before;
        }
        var difference = Spread.Of(together).Median - Spread.Of(alone).Median;
        _figures.Add("Open tasks with a word", Count(text!.Sum("harbor_scan_live_tasks") + text.Sum("harbor_scan_stuck_tasks")), Count(Open),
            (int)(text.Sum("harbor_scan_live_tasks") + text.Sum("harbor_scan_stuck_tasks")) == Open);
        _figures.Add("Bytes from Redis in one collection", Count(bytes / (double)Scrapes), $"< {Count(MostBytes)}", bytes / (double)Scrapes < MostBytes);
        _figures.Add("Scrape without Redis", Spread.Of(alone), "", true);
        _figures.Add("Scrape with Redis", Spread.Of(together), "", true);
        _figures.Add("What Redis adds, difference of the medians", $"{difference.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture)} ms",
            $"< {MostTime.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture)} ms", difference < MostTime);
        if (native is not null) await MemoryAsync(with, cancellationToken);
    }

    public string ToMarkdown() => string.Create(CultureInfo.InvariantCulture, $"""
        {Heading}

        What the evidence costs while {Open:#,0} scans are open, nearly all of which wait, beside {Finished:#,0} others: a queue in which all that wait stand with
        {ItemBytes:#,0} bytes each, as Harbor's items have. `scripts/benchmark.sh --only redis` takes two minutes and writes this section alone.
        Measured on {DateTime.UtcNow:yyyy-MM-dd}, {Machine.Describe()}, load average {_loadBefore} before and {Machine.Load()} after, {(native is null ? "in process" : "native binary")};
        the two exporters are asked in turns. Times are least / median / most (repetitions).

        {_figures.ToMarkdown()}
        """);

    private async Task MemoryAsync(MeasuredExporter exporter, CancellationToken cancellationToken)
    {
        Console.Error.WriteLine($"scraping {MemoryScrapes} times for the memory");
        // The garbage collector takes a while to settle on the size of its heap.
        for (var i = 0; i < MemoryScrapes / 5; i++) await exporter.ScrapeAsync(cancellationToken);
        var first = exporter.ResidentMemory();
        for (var i = MemoryScrapes / 5; i < MemoryScrapes; i++) await exporter.ScrapeAsync(cancellationToken);
        var last = exporter.ResidentMemory();
        _figures.Add($"Resident memory of the native process after {MemoryScrapes / 5} and after {MemoryScrapes} collections", $"{Mebibytes(first)} and {Mebibytes(last)}",
            "grows by less than a quarter", last < first * 1.25);
    }

    private static async Task AddBacklogAsync(FilledHarbor harbor, int tasks, CancellationToken cancellationToken)
    {
        await using var connection = await harbor.OpenAsync();
        await using (var add = new NpgsqlCommand(BacklogSql, connection))
        {
            add.Parameters.AddWithValue("more", tasks);
            await add.ExecuteNonQueryAsync(cancellationToken);
        }
        await using var analyze = new NpgsqlCommand("vacuum (analyze) task", connection);
        await analyze.ExecuteNonQueryAsync(cancellationToken);
    }

    private Task<MeasuredExporter> StartAsync(FilledHarbor harbor, params (string Name, string Value)[] changes) =>
        native is null ? MeasuredExporter.StartInProcessAsync(harbor, changes) : ListeningAsync(MeasuredExporter.StartNative(native, harbor, changes));

    private static async Task<MeasuredExporter> ListeningAsync(MeasuredExporter exporter)
    {
        await exporter.ListensAsync();
        return exporter;
    }

    /// <summary>The jobs of everything that waits, oldest first.</summary>
    private static async Task<IReadOnlyList<string>> JobsAsync(FilledHarbor harbor) =>
        await harbor.ScalarAsync<string[]>("select array_agg(job_id order by creation_time) from task where status = 'Pending' and vendor_type = 'SCAN_ALL'");

    private static string Count(double number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Mebibytes(long bytes) => $"{(bytes / 1048576.0).ToString("F1", CultureInfo.InvariantCulture)} MiB";
}

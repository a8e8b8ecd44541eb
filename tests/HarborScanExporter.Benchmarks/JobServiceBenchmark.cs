using System.Globalization;
using Npgsql;

namespace HarborScanExporter.Benchmarks;

/// <summary>What the evidence of a long queue costs: the same database scraped with and without the job service's Redis, in turns.</summary>
/// <param name="native">The published binary.</param>
/// <param name="scrapes">Scrapes of each.</param>
internal sealed class JobServiceBenchmark(string native, int scrapes)
{
    /// <summary>The heading by which the section is found again in the file that holds it.</summary>
    public const string Heading = "## The job service's Redis";

    /// <summary>Open tasks, nearly all of which wait.</summary>
    public const int Open = 36_000;

    private const int Finished = 50_000;

    private const string BacklogSql = """
        insert into task (execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, update_time, vendor_type)
        select execution_id, left(md5('backlog ' || number), 24), status, status_code, status_revision, '', 0, extra_attrs, creation_time, update_time, vendor_type
        from (select * from task where status = 'Pending' and vendor_type = 'SCAN_ALL' order by id limit 1) as waiting
        cross join generate_series(1, @more) as number
        """;

    private const int ItemBytes = 3_000;
    private const int MostMemoryScrapes = 500;

    /// <summary>Scrapes that let sockets, pools and caches settle before anything is measured.</summary>
    private const int Settling = 5;

    private const double MostBytes = 5_000_000;
    private static readonly TimeSpan MostTime = TimeSpan.FromMilliseconds(150);

    private readonly Figures _figures = new();
    private readonly string _loadBefore = Machine.Load();

    // A quick run stays one.
    private int MemoryScrapes => Math.Min(MostMemoryScrapes, 5 * scrapes);

    public IReadOnlyList<string> Missed => _figures.Missed;

    /// <summary>Scrapes without Redis; null before the run.</summary>
    public Spread? Alone { get; private set; }

    /// <summary>Scrapes with Redis; null before the run.</summary>
    public Spread? Together { get; private set; }

    public async Task RunAsync(PrivatePostgres server, CancellationToken cancellationToken)
    {
        Progress.Say("a long queue: filling");
        var harbor = await FilledHarbor.CreateAsync(server, "harbor_queue", Finished);
        await AddBacklogAsync(harbor, Open - HarborRows.Open, cancellationToken);
        await using var redis = await PrivateRedis.StartAsync();
        await redis.FillAsync(await WaitingJobsAsync(harbor), ItemBytes);
        await using var without = MeasuredExporter.Start(native, harbor);
        await using var with = MeasuredExporter.Start(native, harbor, [new("HARBOR_REDIS_URL", redis.Url)]);
        foreach (var exporter in new[] { without, with })
        {
            await exporter.CompleteAsync(cancellationToken);
            await exporter.RepeatAsync(Settling, cancellationToken);
        }
        Progress.Say($"a long queue: scraping {scrapes} times with and without Redis");
        List<TimeSpan> alone = [], together = [];
        long bytes = 0;
        MetricsText? text = null;
        for (var i = 0; i < scrapes; i++)
        {
            alone.Add((await without.ScrapeAsync(cancellationToken)).Took);
            var before = await redis.OutputBytesAsync();
            (var took, text) = await with.ScrapeAsync(cancellationToken);
            together.Add(took);
            bytes += await redis.OutputBytesAsync() - before;
        }
        (Alone, Together) = (Spread.Of(alone), Spread.Of(together));
        var difference = Together.Median - Alone.Median;
        _figures.Add("Open tasks with a word", Progress.Count(text!.Sum("harbor_scan_live_tasks") + text.Sum("harbor_scan_stuck_tasks")), Progress.Count(Open),
            (int)(text.Sum("harbor_scan_live_tasks") + text.Sum("harbor_scan_stuck_tasks")) == Open);
        _figures.Add("Bytes from Redis in one collection", Progress.Count(bytes / (double)scrapes), $"< {Progress.Count(MostBytes)}", bytes / (double)scrapes < MostBytes);
        _figures.Add("Scrape without Redis", Alone, "", true);
        _figures.Add("Scrape with Redis", Together, "", true);
        _figures.Add("What Redis adds, difference of the medians", $"{difference.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture)} ms",
            $"< {MostTime.TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture)} ms", difference < MostTime);
        await MemoryAsync(with, cancellationToken);
    }

    public string ToMarkdown() => string.Create(CultureInfo.InvariantCulture, $"""
        {Heading}

        What the evidence costs while {Open:#,0} scans are open, nearly all of which wait, beside {Finished:#,0} others: a queue in which all that wait stand with
        {ItemBytes:#,0} bytes each, as Harbor's items have. `scripts/benchmark.sh --only redis` takes four minutes and writes this section alone.
        Measured on {DateTime.UtcNow:yyyy-MM-dd}, {Machine.Describe()}, load average {_loadBefore} before and {Machine.Load()} after, native binary;
        the two exporters are asked in turns. Times are least / median / most (repetitions), and the time within which 99 of 100 ended.

        {_figures.ToMarkdown()}
        """);

    private async Task MemoryAsync(MeasuredExporter exporter, CancellationToken cancellationToken)
    {
        Progress.Say($"a long queue: scraping {MemoryScrapes} times for the memory");
        // The garbage collector takes a while to settle on the size of its heap.
        await exporter.RepeatAsync(MemoryScrapes / 5, cancellationToken);
        var first = exporter.Use().Resident;
        await exporter.RepeatAsync(MemoryScrapes - MemoryScrapes / 5, cancellationToken);
        var last = exporter.Use().Resident;
        _figures.Add($"Resident memory after {MemoryScrapes / 5} and after {MemoryScrapes} collections more", $"{Mebibytes(first)} and {Mebibytes(last)}",
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

    /// <summary>The jobs of a scan-all that wait, oldest first.</summary>
    public static async Task<IReadOnlyList<string>> WaitingJobsAsync(FilledHarbor harbor) =>
        await harbor.ScalarAsync<string[]>("select array_agg(job_id order by creation_time) from task where status = 'Pending' and vendor_type = 'SCAN_ALL'");

    private static string Mebibytes(long bytes) => $"{(bytes / 1048576.0).ToString("F1", CultureInfo.InvariantCulture)} MiB";
}

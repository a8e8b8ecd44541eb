using System.Globalization;
using System.Text;

namespace HarborScanExporter.Benchmarks;

/// <summary>The figures of one run as a document.</summary>
/// <param name="sizes">By size, the smallest first.</param>
/// <param name="emptyStart">Starts over a Harbor without rows.</param>
/// <param name="memory">Many scrapes with everything on.</param>
/// <param name="memoryScrapes">How many those were, at the first look and at the second.</param>
/// <param name="goals">What is to be reached.</param>
/// <param name="serverVersion">PostgreSQL's.</param>
/// <param name="loadBefore">The machine's load before the run.</param>
internal sealed class BenchmarkReport(
    IReadOnlyList<SizeFigures> sizes, Start emptyStart, MemoryFigures memory, (int Early, int Late, int LookedAt) memoryScrapes, Goals goals, string serverVersion, string loadBefore)
{
    /// <summary>The drawing beside the document.</summary>
    public const string Plot = "scrape-cost.svg";

    public string ToMarkdown() => new StringBuilder().Append(CultureInfo.InvariantCulture, $"""
        # Benchmarks

        What one scrape costs Harbor's database, from ten thousand tasks to ten million, beside two exporters of plain queries. `scripts/benchmark.sh`
        starts a PostgreSQL and a Redis of its own, fills them, measures, and writes this file: every figure below is from one run on one machine.
        `scripts/benchmark.sh --sizes 10000 --scrapes 20` is a quick run that only prints.

        | Run | |
        |---|---|
        | Date | {DateTime.UtcNow:yyyy-MM-dd} |
        | Machine | {Machine.Describe()} |
        | Load average before and after | {loadBefore} and {Machine.Load()}; other work on the machine lengthens every time below: read the medians |
        | PostgreSQL | {serverVersion}, stock settings but {string.Join(", ", PrivatePostgres.Settings)} |
        | Exporter | native binary, default collectors and default settings where nothing else is said |

        ## Goals

        {goals.ToMarkdown()}
        ![Database pages and time of a scrape over the size of Harbor's tables, for the three exporters]({Plot})

        ## One scrape, by the size of the tables

        {Costs()}
        {Scrapes()}
        ## The same tables, the same server, plain queries

        {Others()}
        The four queries count tasks and executions by type and status, take the age of the oldest open task by type and status, and count the open tasks
        beyond eight ages: fewer facts than the exporter's, and no verdict. Both run with nothing else turned on, under the exporter's own role. postgres_exporter
        runs them when it is scraped. sql_exporter of Debian 12 runs them by its own clock and answers from memory: its time is one round of the queries, without
        a pause between the rounds.

        ## Starts

        {Starts()}
        Warm starts are medians of three. Before a cold start the server was stopped and started again{(sizes.All(size => size.WasPageCacheDropped) ? ", and the system's page cache was dropped" : "; the page cache could not be dropped")}.
        A scrape is complete when `harbor_scan_up` is 1 and the families of the whole tables are there. Without a row: first answer after {Milliseconds(emptyStart.FirstAnswer)} ms.

        ## Many scrapes

        {memoryScrapes.Late:#,0} scrapes over {HarborRows.Open} open tasks with everything on: Redis, every collector, the operations listener, remediation as a dry run.

        | Figure | Measured |
        |---|---|
        | Resident memory, highest after the scrapes {memoryScrapes.Early - memoryScrapes.LookedAt + 1:#,0} to {memoryScrapes.Early:#,0} | {Mebibytes(memory.Early)} |
        | Resident memory, highest after the scrapes {memoryScrapes.Late - memoryScrapes.LookedAt + 1:#,0} to {memoryScrapes.Late:#,0} | {Mebibytes(memory.Late)} |
        | Scrape with everything on, p50 and p99 | {Milliseconds(memory.Scrapes.Median)} ms and {Milliseconds(memory.Scrapes.P99)} ms |
        | Collections for {MemoryBenchmark.Concurrent} scrapes at the same time | {memory.Collections:0.##} |

        `scripts/soak.sh` looks at memory, handles and connections over 100,000 scrapes while a simulated Harbor lives on.

        ## The shape of the tables

        Tables, rows and indexes of Harbor 2.11.0, written as Harbor writes them, as many executions as tasks. The last 24 hours are the same at every
        size: {HarborRows.OfLastDay:#,0} tasks, of which a scan-all that began two hours ago has 601, and {HarborRows.OpenOfScanAll} of these are still open. Everything else is history,
        evenly spread over the 90 days before: twelve weekly scan-alls with a twentieth of the tasks, else scans with an execution of their own, and
        replications without tasks. {HarborRows.LeftBehind} open tasks were left behind singly, here and there in that history, each with its Running execution: {HarborRows.Open} open in all.
        A tenth of the tasks have reports.

        Times are from the request to the last byte of the answer, caches warm, one scrape after the other. p99 is the time within which 99 of 100 ended.
        Pages are 8 KiB, of tables, indexes and TOAST tables, counted by the server (`pg_statio_user_tables`), whether found in shared_buffers or not. Database time is
        planning and running, by `pg_stat_statements` for the role. CPU is the kernel's count for the exporter's process. Memory is resident memory.

        """).ToString();

    private string Costs() => Table(
        ["Tasks", "Pages of `task` (the table has)", "Pages of `execution` (the table has)", "Pages in all", "Whole tables read", "Database time", "CPU", "Memory", "Answer"],
        sizes.Select(size => (string[])
        [
            Progress.Count(size.Tasks), $"{Number(size.Work.Tables["task"].Pages)} ({Progress.Count(size.TaskPages)})", $"{Number(size.Work.Tables["execution"].Pages)} ({Progress.Count(size.ExecutionPages)})",
            Number(size.Work.Pages), Number(size.Work.WholeReads), $"{Number(size.Work.Milliseconds)} ms", $"{Milliseconds(size.Processor)} ms", Mebibytes(size.Resident),
            $"{Progress.Count(size.Text.Bytes)} bytes, {size.Text.Series} series",
        ]));

    private string Scrapes() => Table(
        ["Tasks", "Scrape p50", "Scrape p99", "Scrapes", "postgres_exporter p50", "times ours", "sql_exporter p50", "times ours"],
        sizes.Select(size => (string[])
        [
            Progress.Count(size.Tasks), $"{Milliseconds(size.Scrape.Median)} ms", $"{Milliseconds(size.Scrape.P99)} ms", Progress.Count(size.Scrape.Count),
            $"{Milliseconds(size.PostgresExporter.Round.Median)} ms", Ratio(size.PostgresExporter.Round.Median / size.Scrape.Median),
            $"{Milliseconds(size.SqlExporter.Round.Median)} ms", Ratio(size.SqlExporter.Round.Median / size.Scrape.Median),
        ]));

    private string Others() => Table(
        ["Tasks", "Pages, postgres_exporter", "times ours", "Database time", "Rounds", "Pages, sql_exporter", "times ours", "Database time", "Rounds"],
        sizes.Select(size => (string[])
        [
            Progress.Count(size.Tasks), .. Plain(size, size.PostgresExporter), .. Plain(size, size.SqlExporter),
        ]));

    private static string[] Plain(SizeFigures size, PlainFigures figures) =>
        [Progress.Count(figures.Pages), Ratio(figures.Pages / size.Work.Pages), $"{Number(figures.DatabaseMilliseconds)} ms", Progress.Count(figures.Round.Count)];

    private string Starts() => Table(
        ["Tasks", "First answer, warm", "First complete scrape, warm", "First answer, cold", "First complete scrape, cold", "Filling took"],
        sizes.Select(size => (string[])
        [
            Progress.Count(size.Tasks), Seconds(size.Warm.FirstAnswer), Seconds(size.Warm.Complete), Seconds(size.Cold.FirstAnswer), Seconds(size.Cold.Complete), Seconds(size.Filling),
        ]));

    private static string Table(string[] heads, IEnumerable<string[]> rows)
    {
        var text = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", heads)} |").AppendLine(CultureInfo.InvariantCulture, $"|{string.Concat(heads.Select(_ => "---|"))}");
        foreach (var row in rows) text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", row)} |");
        return text.ToString();
    }

    private static string Number(double value) => value.ToString(value < 100 ? "#,0.##" : "#,0", CultureInfo.InvariantCulture);

    private static string Ratio(double value) => value.ToString(value < 10 ? "0.0" : "#,0", CultureInfo.InvariantCulture);

    private static string Milliseconds(TimeSpan time) => time.TotalMilliseconds.ToString(time.TotalMilliseconds < 10 ? "0.0" : "#,0", CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture) + " s";

    private static string Mebibytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:F1} MiB");
}

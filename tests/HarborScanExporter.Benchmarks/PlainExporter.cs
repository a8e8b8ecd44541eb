using System.Diagnostics;
using System.Globalization;

namespace HarborScanExporter.Benchmarks;

/// <summary>An exporter of plain queries from the distribution's packages, with <see cref="PlainQuery.All"/> and nothing else.</summary>
internal sealed class PlainExporter : IAsyncDisposable
{
    /// <summary>The binaries, and the packages they are in.</summary>
    public const string PostgresExporter = "prometheus-postgres-exporter";

    /// <inheritdoc cref="PostgresExporter"/>
    public const string SqlExporter = "prometheus-sql-exporter";

    /// <summary>Slow scrapes are repeated for this long, but at least so often.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private const int Least = 10;
    private const int Most = 100;

    private static readonly Uri Metrics = new("/metrics", UriKind.Relative);

    private readonly Process _process;
    private readonly string _file;
    private readonly HttpClient _client;

    private PlainExporter(Process process, string file, int port)
    {
        _process = process;
        _file = file;
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}"), Timeout = TimeSpan.FromMinutes(5) };
    }

    /// <summary>Measures postgres_exporter, which runs its queries one after the other when it is scraped: one scrape.</summary>
    public static Task<PlainFigures> MeasurePostgresExporterAsync(FilledHarbor harbor, CancellationToken cancellationToken) => MeasureAsync(harbor, StartPostgresExporter, async exporter =>
    {
        var times = new List<TimeSpan>();
        var begun = Stopwatch.GetTimestamp();
        while (times.Count < Least || times.Count < Most && Stopwatch.GetElapsedTime(begun) < Patience)
        {
            var start = Stopwatch.GetTimestamp();
            await exporter.ScrapeAsync(cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(start));
        }
        return times;
    }, cancellationToken);

    /// <summary>
    /// Measures sql_exporter of Debian 12, which runs its queries by its own clock and answers from memory: one round of its queries, from the
    /// server's clock at one query to the server's clock at the same query of the next round.
    /// </summary>
    public static Task<PlainFigures> MeasureSqlExporterAsync(FilledHarbor harbor, CancellationToken cancellationToken) => MeasureAsync(harbor, StartSqlExporter, async exporter =>
    {
        var times = new List<TimeSpan>();
        var begun = Stopwatch.GetTimestamp();
        double? last = null;
        while (times.Count < Least || times.Count < Most && Stopwatch.GetElapsedTime(begun) < Patience)
        {
            var age = (await exporter.ScrapeAsync(cancellationToken)).First($"sql_{PlainQuery.Age}");
            if (age != last)
            {
                if (last is not null) times.Add(TimeSpan.FromSeconds(age!.Value - last.Value));
                last = age;
            }
            // Often enough to miss no round, and seldom enough not to lengthen it.
            await Task.Delay(TimeSpan.FromMilliseconds(times.Count == 0 ? 1 : Math.Clamp(times.Min().TotalMilliseconds / 4, 1, 250)), cancellationToken);
        }
        return times;
    }, cancellationToken);

    private static async Task<PlainFigures> MeasureAsync(
        FilledHarbor harbor, Func<FilledHarbor, PlainExporter> start, Func<PlainExporter, Task<List<TimeSpan>>> measure, CancellationToken cancellationToken)
    {
        var before = await DatabaseWork.CountedAsync(harbor);
        List<TimeSpan> times;
        await using (var exporter = start(harbor))
        {
            // The first answer warms the caches.
            await exporter.AnswersAsync(cancellationToken);
            times = await measure(exporter);
        }
        var work = (await DatabaseWork.CountedAsync(harbor)).Since(before, 1);
        return new PlainFigures(Spread.Of(times), work.Pages / work.PlainRounds, work.Milliseconds / work.PlainRounds);
    }

    private static PlainExporter StartPostgresExporter(FilledHarbor harbor)
    {
        var port = PrivatePostgres.FreePort();
        var file = Path.GetTempFileName();
        File.WriteAllText(file, PlainQuery.ToPostgresExporterYaml());
        var start = new ProcessStartInfo(PostgresExporter,
            ["--disable-default-metrics", "--disable-settings-metrics", "--no-collector.database", "--no-collector.bgwriter", $"--extend.query-path={file}", Listen(port)]);
        start.Environment["DATA_SOURCE_NAME"] = Url(harbor);
        return Start(start, file, port);
    }

    private static PlainExporter StartSqlExporter(FilledHarbor harbor)
    {
        var port = PrivatePostgres.FreePort();
        var file = Path.GetTempFileName();
        File.WriteAllText(file, PlainQuery.ToSqlExporterYaml(Url(harbor)));
        var start = new ProcessStartInfo(SqlExporter, [$"-config.file={file}", Listen(port)[1..]]);
        // What the package's own unit sets.
        start.Environment["GOGC"] = "40";
        start.Environment["LOGLEVEL"] = "WARN";
        return Start(start, file, port);
    }

    private static PlainExporter Start(ProcessStartInfo start, string file, int port)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{start.FileName} did not start.");
        process.OutputDataReceived += (_, line) => TellTrouble(line.Data);
        process.ErrorDataReceived += (_, line) => TellTrouble(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new PlainExporter(process, file, port);
    }

    private static string Listen(int port) => $"--web.listen-address=127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}";

    private static string Url(FilledHarbor harbor) => string.Create(CultureInfo.InvariantCulture,
        $"postgres://{FilledHarbor.Role}:{FilledHarbor.Password}@127.0.0.1:{harbor.Server.Port}/{harbor.Name}?sslmode=disable");

    // An answer in which a query is missing must not count as a fast one.
    private async Task<MetricsText> ScrapeAsync(CancellationToken cancellationToken)
    {
        var text = new MetricsText(await _client.GetStringAsync(Metrics, cancellationToken));
        return IsComplete(text) ? text : throw new InvalidOperationException($"{_process.ProcessName} left out the result of a query.");
    }

    private async Task AnswersAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                if (IsComplete(new MetricsText(await _client.GetStringAsync(Metrics, cancellationToken)))) return;
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                // Not listening yet.
            }
            await Task.Delay(20, cancellationToken);
        }
    }

    // postgres_exporter names a family after the query and the column, sql_exporter after the query alone.
    private static bool IsComplete(MetricsText text) => PlainQuery.All.All(query => text.Has($"{query.Name}_{query.Values[0]}") || text.Has($"sql_{query.Name}"));

    private static void TellTrouble(string? line)
    {
        if (line is { Length: > 0 } && line.Contains("level=error", StringComparison.Ordinal)) Console.Error.WriteLine(line);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        File.Delete(_file);
    }
}

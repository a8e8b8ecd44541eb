using System.Globalization;
using System.Text;

namespace HarborScanExporter.Benchmarks;

/// <summary>The figures of one run beside the limits they have to hold.</summary>
internal sealed class BenchmarkReport(BenchmarkPlan plan)
{
    private readonly Figures _figures = new();
    private readonly string _loadBefore = Machine.Load();

    public string ServerVersion { get; set; } = "";

    /// <summary>What is beyond its limit.</summary>
    public IReadOnlyList<string> Missed => _figures.Missed;

    public void Add(string what, object measured, string limit, bool holds) => _figures.Add(what, measured, limit, holds);

    public string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Benchmarks

            What one scrape costs a Harbor with many scans. `scripts/benchmark.sh` starts a PostgreSQL of its own, fills it, measures, and writes this
            file: every figure below is from one run. `scripts/benchmark.sh --tasks 10000 --scrapes 20` is a quick run that only prints.

            | Run | |
            |---|---|
            | Date | {DateTime.UtcNow:yyyy-MM-dd} |
            | Machine | {Machine.Describe()} |
            | Load average before and after | {_loadBefore} and {Machine.Load()}; other work on the machine lengthens every time below: read the medians |
            | PostgreSQL | {ServerVersion}, stock settings but {string.Join(", ", PrivatePostgres.Settings)} |
            | Harbor | tables and indexes of 2.11.0; {plan.Tasks:#,0} executions and {plan.Tasks:#,0} tasks over 90 days, each table read through the least-privilege role |
            | Exporter | default collectors, {(plan.Native is null ? "in process" : "native binary unless another is named")} |

            Times are least / median / most (repetitions), from the request to the last byte of the answer, all caches warm.


            """);
        return text.Append(_figures.ToMarkdown()).AppendLine().Append("""
            "Queued" is a scan-all that waits its turn; "lost" is one whose jobs have been gone for a week, so that each of its tasks, and each report that
            a task names, is read by key beyond the two reads of whole tables. Pages are 8 KiB and counted by the server, whether found in shared_buffers or not.

            """).ToString();
    }
}

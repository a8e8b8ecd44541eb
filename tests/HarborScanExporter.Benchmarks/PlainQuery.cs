using System.Globalization;
using System.Text;

namespace HarborScanExporter.Benchmarks;

/// <summary>One query by status, as one would write it for an exporter of queries.</summary>
/// <param name="Name">What its metrics are called.</param>
/// <param name="Values">The columns that are values; <c>vendor_type</c> and <c>status</c> are its labels.</param>
/// <param name="Sql">The query.</param>
internal sealed record PlainQuery(string Name, IReadOnlyList<string> Values, string Sql)
{
    private const string Open = "status in ('Pending', 'Scheduled', 'Running')";

    // The thresholds of harbor_scan_tasks_older_than.
    private static readonly int[] Thresholds = [60, 300, 900, 3_600, 10_800, 21_600, 86_400, 604_800];

    /// <summary>How each of them ends, and no statement of the exporter.</summary>
    public const string Grouping = "group by vendor_type, status";

    /// <summary>The age of the oldest open task: by the server's clock, so that it tells one round of the queries from the next.</summary>
    public const string Age = "harbor_oldest_task";

    /// <summary>The four that together tell about as much as the exporter's families of counts and ages.</summary>
    public static IReadOnlyList<PlainQuery> All { get; } =
    [
        new("harbor_tasks", ["count"], "select vendor_type, status, count(*)::float8 as count from task " + Grouping),
        new("harbor_executions", ["count"], "select vendor_type, status, count(*)::float8 as count from execution " + Grouping),
        new(Age, ["age_seconds"],
            $"select vendor_type, status, extract(epoch from max(now() at time zone 'utc' - creation_time))::float8 as age_seconds from task where {Open} {Grouping}"),
        new("harbor_tasks_older_than", [.. Thresholds.Select(Column)],
            $"select vendor_type, status, {string.Join(", ", Thresholds.Select(Counted))} from task where {Open} {Grouping}"),
    ];

    /// <summary>All of them as postgres_exporter's file of queries.</summary>
    public static string ToPostgresExporterYaml()
    {
        var text = new StringBuilder();
        foreach (var query in All)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{query.Name}:").AppendLine(CultureInfo.InvariantCulture, $"  query: \"{query.Sql}\"").AppendLine("  metrics:");
            foreach (var (column, usage) in query.Columns()) text.AppendLine(CultureInfo.InvariantCulture, $"    - {column}: {{usage: {usage}, description: plain}}");
        }
        return text.ToString();
    }

    /// <summary>All of them as sql_exporter's configuration: one job, its queries one after the other and again at once.</summary>
    /// <param name="connection">The database as a URL.</param>
    public static string ToSqlExporterYaml(string connection)
    {
        var text = new StringBuilder().AppendLine("jobs:").AppendLine("- name: harbor").AppendLine("  interval: '0s'")
            .AppendLine(CultureInfo.InvariantCulture, $"  connections: ['{connection}']").AppendLine("  queries:");
        foreach (var query in All)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  - name: {query.Name}").AppendLine("    help: plain").AppendLine("    labels: [vendor_type, status]")
                .AppendLine(CultureInfo.InvariantCulture, $"    values: [{string.Join(", ", query.Values)}]").AppendLine(CultureInfo.InvariantCulture, $"    query: \"{query.Sql}\"");
        }
        return text.ToString();
    }

    private IEnumerable<(string Column, string Usage)> Columns() => [("vendor_type", "LABEL"), ("status", "LABEL"), .. Values.Select(value => (value, "GAUGE"))];

    private static string Column(int seconds) => string.Create(CultureInfo.InvariantCulture, $"older_than_{seconds}");

    private static string Counted(int seconds) => string.Create(CultureInfo.InvariantCulture,
        $"(count(*) filter (where creation_time < now() at time zone 'utc' - interval '{seconds} seconds'))::float8 as {Column(seconds)}");
}

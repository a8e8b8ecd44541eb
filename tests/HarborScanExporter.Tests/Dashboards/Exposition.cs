using System.Globalization;
using System.Text;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>A whole scrape of the exporter without Redis, in the text format, for a situation at a time.</summary>
internal sealed class Exposition
{
    public static readonly string[] Types = ["IMAGE_SCAN", "SCAN_ALL", "SBOM"];
    public static readonly string[] OpenStatuses = ["Pending", "Scheduled", "Running"];
    public static readonly string[] Statuses = [.. OpenStatuses, "Success", "Error", "Stopped", "other"];
    private static readonly string[] Verdicts = ["lost", "unreported", "hung", "not_queued", "overdue"];
    private static readonly string[] States = ["queued", "running", "paused", "requeued", "settling", "unjudged"];
    private static readonly string[] Kinds =
        ["execution_not_refreshed", "execution_without_tasks", "execution_final_with_open_task", "final_status_wrong_code",
            "sweep_blocked", "orphan_report"];
    private static readonly string[] Results = ["total", "submitted", "conflict", "precondition", "unsupported", "unknown"];
    private static readonly string[] Reasons = ["connect", "auth", "timeout", "lock_timeout", "schema", "permission", "other"];
    private static readonly string[] Collectors = ["tasks", "executions", "scan_all", "diagnosis", "robots", "sweep", "database"];
    private static readonly string[] Queues = ["IMAGE_SCAN", "EXECUTION_SWEEP"];
    private static readonly int[] AgeThresholds = [60, 300, 900, 3600, 10_800, 21_600, 86_400, 604_800];

    private readonly StringBuilder _text = new();

    private Exposition()
    {
    }

    /// <summary>
    /// The document of the <paramref name="scrape"/>-th scrape (the counters grow with it) at <paramref name="now"/>, seconds since 1970.
    /// </summary>
    public static string Write(ScanSituation situation, int scrape, double now)
    {
        var document = new Exposition();
        document.Rows(situation);
        document.Verdict(situation);
        document.ScanAll(situation, now);
        document.Collection(situation, scrape, now);
        document.Process(scrape, now);
        return document._text.ToString();
    }

    private void Rows(ScanSituation situation)
    {
        ByTypeAndStatus("harbor_scan_tasks", "Tasks now.", Statuses, situation.Tasks);
        ByTypeAndStatus("harbor_scan_executions", "Executions now.", Statuses, situation.Executions);
        Family("harbor_scan_tasks_older_than", "gauge", "Open tasks older than the threshold, cumulative: do not sum over age_seconds.");
        foreach (var (type, status) in Product(Types, OpenStatuses))
        {
            var counts = situation.OlderThan.GetValueOrDefault((type, status)) ?? new int[AgeThresholds.Length];
            foreach (var (threshold, count) in AgeThresholds.Zip(counts))
                Sample(count, ("type", type), ("status", status), ("age_seconds", threshold.ToString(CultureInfo.InvariantCulture)));
        }
        ByTypeAndStatus("harbor_scan_oldest_task_age_seconds", "Age of the oldest open task, 0 when none.", OpenStatuses,
            situation.OldestTask);
        ByTypeAndStatus("harbor_scan_oldest_execution_age_seconds", "Age of the oldest open execution, 0 when none.", OpenStatuses,
            situation.OldestExecution);
    }

    private void Verdict(ScanSituation situation)
    {
        Family("harbor_scan_stuck_tasks", "gauge", "Open tasks that are stuck.");
        foreach (var (type, status) in Product(Types, OpenStatuses))
        {
            foreach (var verdict in Verdicts)
                Sample(situation.Stuck.GetValueOrDefault((type, status, verdict)), ("type", type), ("status", status),
                    ("verdict", verdict));
        }
        Pairs("harbor_scan_oldest_stuck_task_age_seconds", "Age of the oldest stuck task, 0 when none.", "verdict", Verdicts,
            situation.OldestStuck);
        Pairs("harbor_scan_live_tasks", "Open tasks that are not stuck.", "state", States, situation.Live);
        Pairs("harbor_scan_inconsistencies", "Rows that contradict each other.", "kind", Kinds, situation.Inconsistencies);
        One("harbor_scan_blocked_artifacts", "Digests whose rescan Harbor refuses because of a stuck task.", situation.BlockedArtifacts);
        One("harbor_scan_all_blocked", "1 while Harbor refuses a manual scan-all though the previous one is not live.",
            situation.ScanAllBlocked ? 1 : 0);
        One("harbor_scan_leaked_robots", "Scan robot accounts older than a day that no open task names.", situation.LeakedRobots);
    }

    private void ScanAll(ScanSituation situation, double now)
    {
        Singles("harbor_scan_all_tasks", "Tasks of the newest scan-all.", "status", Statuses, situation.ScanAllTasks);
        Singles("harbor_scan_all_artifacts", "Summary of the newest scan-all.", "result", Results, situation.ScanAllSummary);
        One("harbor_scan_all_start_timestamp_seconds", "Start of the newest scan-all.", Math.Floor(now) - 36_000);
        Family("harbor_scan_last_success_timestamp_seconds", "gauge", "Newest end of a successful task.");
        foreach (var (type, age) in Types.Zip([240, 1800, 90_000])) Sample(Math.Floor(now) - age, ("type", type));
        One("harbor_scan_sweep_last_success_timestamp_seconds", "Newest successful EXECUTION_SWEEP.", Math.Floor(now) - 43_200);
        if (situation.Sweepable is { } sweepable)
            Singles("harbor_scan_sweepable_executions", "Final executions beyond retention that a sweep would remove.", "type", Types,
                sweepable);
        if (situation.ReadOnly is { } readOnly) One("harbor_scan_read_only", "1 while Harbor is in read-only mode.", readOnly ? 1 : 0);
        Singles("harbor_scan_queue_paused", "1 while the queue is paused.", "queue", Queues,
            situation.PausedQueues.ToDictionary(queue => queue, _ => 1));
    }

    private void Collection(ScanSituation situation, int scrape, double now)
    {
        One("harbor_scan_up", "1 when this collection reached the database and every enabled database collector succeeded.", 1);
        Family("harbor_scan_database_info", "gauge", "What the database says of itself.");
        Sample(1, ("schema_version", "160"), ("harbor_version", "2.13"), ("server_version", "15.8"));
        string[] collectors = situation.Sweepable is null ? Collectors : [.. Collectors, "sweepable"];
        Singles("harbor_scan_collector_success", "1 when the collector succeeded in this scrape.", "collector", collectors,
            collectors.ToDictionary(one => one, _ => 1));
        Family("harbor_scan_collector_duration_seconds", "gauge", "Duration of the collector in this scrape.");
        foreach (var (collector, index) in collectors.Select((collector, index) => (collector, index)))
            Sample(0.011 * (index + 1), ("collector", collector));
        One("harbor_scan_snapshot_timestamp_seconds", "The database's clock when this snapshot was read.", now - 0.05);
        One("harbor_scan_collections_total", "Collections of this process.", scrape, "counter");
        Singles("harbor_scan_collection_failures_total", "Collections that failed.", "reason", Reasons,
            new Dictionary<string, int> { ["timeout"] = scrape / 3 }, "counter");
        One("harbor_scan_scrapes_coalesced_total", "Scrapes served from a collection already under way.", scrape / 2, "counter");
        Family("harbor_scan_build_info", "gauge", "The exporter.");
        Sample(1, ("version", "0.1.0"), ("revision", "0123abcd"), ("runtime", "10.0.0"));
    }

    private void Process(int scrape, double now)
    {
        One("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", Math.Floor(now) - 86_400);
        One("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", 3 + (0.02 * scrape), "counter");
        One("process_virtual_memory_bytes", "Virtual memory size in bytes.", 272_629_760_000);
        One("process_working_set_bytes", "Process working set", 29_360_128);
        One("process_private_memory_bytes", "Process private memory size", 68_157_440);
        One("process_open_handles", "Number of open handles", 84);
        One("process_num_threads", "Total number of threads", 14);
        One("dotnet_total_memory_bytes", "Total known allocated memory", 4_194_304);
        Singles("dotnet_collection_count_total", "GC collection count", "generation", ["0", "1", "2"],
            new Dictionary<string, int> { ["0"] = scrape, ["1"] = scrape / 4 }, "counter");
    }

    private void ByTypeAndStatus(string name, string help, string[] statuses, IReadOnlyDictionary<(string, string), int> values) =>
        Pairs(name, help, "status", statuses, values);

    private void Pairs(string name, string help, string label, string[] seconds, IReadOnlyDictionary<(string, string), int> values)
    {
        Family(name, "gauge", help);
        foreach (var (type, second) in Product(Types, seconds))
            Sample(values.GetValueOrDefault((type, second)), ("type", type), (label, second));
    }

    private void Singles(string name, string help, string label, string[] known, IReadOnlyDictionary<string, int> values,
        string kind = "gauge")
    {
        Family(name, kind, help);
        foreach (var value in known) Sample(values.GetValueOrDefault(value), (label, value));
    }

    private void One(string name, string help, double value, string kind = "gauge")
    {
        Family(name, kind, help);
        Sample(value);
    }

    private string _family = "";

    private void Family(string name, string kind, string help)
    {
        _family = name;
        _text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    private void Sample(double value, params (string Name, string Value)[] labels)
    {
        var inside = string.Join(',', labels.Select(label => $"{label.Name}=\"{label.Value}\""));
        _text.Append(_family).Append(inside.Length > 0 ? $"{{{inside}}}" : "").Append(' ')
            .Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    private static IEnumerable<(string, string)> Product(string[] firsts, string[] seconds) =>
        firsts.SelectMany(first => seconds.Select(second => (first, second)));
}

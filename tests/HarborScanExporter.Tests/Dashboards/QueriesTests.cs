using System.Globalization;
using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Dashboards;

/// <summary>Every query of every dashboard, run against a real Prometheus that has scraped a Harbor.</summary>
public sealed partial class QueriesTests(HealthyHarbor healthy, FaultyHarbors faulty)
    : IClassFixture<HealthyHarbor>, IClassFixture<FaultyHarbors>
{
    private const string AgeOfOpenTasks = "Age of open tasks";

    /// <summary>Panels that show nothing on a healthy Harbor with the default settings: no row is wrong, nothing optional is on, repairs are off.</summary>
    private static readonly HashSet<(string Uid, string Title)> EmptyWhenHealthy =
    [
        ("harbor-scan-overview", "Stuck now"),
        ("harbor-scan-overview", "Read-only mode"),
        ("harbor-scan-stuck", "Stuck tasks"),
        ("harbor-scan-stuck", "Stuck since"),
        ("harbor-scan-stuck", "Inconsistent rows"),
        ("harbor-scan-stuck", "Executions that a sweep would remove"),
        ("harbor-scan-repairs", "Paused"),
        ("harbor-scan-repairs", "Breaker"),
        ("harbor-scan-repairs", "Acts under way"),
        ("harbor-scan-repairs", "Newest run"),
        ("harbor-scan-repairs", "Stuck now"),
        ("harbor-scan-repairs", "Left alone, by reason and replica"),
        ("harbor-scan-repairs", "Repairs by action"),
        ("harbor-scan-repairs", "Failed repairs by reason"),
        ("harbor-scan-repairs", "Requests by replica"),
        ("harbor-scan-repairs", "Looked at again"),
        ("harbor-scan-repairs", "Breaker and pause over time"),
    ];

    public static TheoryData<string, string> Panels =>
        [.. Dashboard.All.SelectMany(dashboard => dashboard.Panels).Where(panel => panel.Draws)
            .Select(panel => new TheoryDataRow<string, string>(panel.Dashboard.Uid, panel.Title))];

    public static TheoryData<string, string> Variables =>
        [.. Dashboard.All.SelectMany(dashboard => VariableRules.Queries(dashboard)
            .Select(variable => new TheoryDataRow<string, string>(dashboard.Uid, Dashboard.Text(variable["name"]))))];

    [Theory]
    [MemberData(nameof(Panels))]
    public async Task A_panel_shows_data_where_there_are_faults(string uid, string title)
    {
        var panel = Find(uid, title);
        foreach (var target in panel.Targets)
            Assert.True((await faulty.Prometheus.DrawAsync(target, GrafanaSelection.All(panel.Dashboard))).Count > 0,
                $"{target} is empty.");
    }

    [Theory]
    [MemberData(nameof(Panels))]
    public async Task A_panel_shows_data_of_a_healthy_Harbor_unless_it_lists_faults(string uid, string title)
    {
        var panel = Find(uid, title);
        foreach (var target in panel.Targets)
        {
            var series = await healthy.Prometheus.DrawAsync(target, GrafanaSelection.All(panel.Dashboard));
            Assert.True(series.Count > 0 != EmptyWhenHealthy.Contains((uid, title)), $"{target} has {series.Count} series.");
        }
    }

    [Fact]
    public void Panels_that_are_empty_when_healthy_say_so_instead_of_an_error() =>
        Assert.All(EmptyWhenHealthy, one =>
            Assert.False(Dashboard.Text(Find(one.Uid, one.Title).Defaults?["noValue"]) is "" or "no data", one.Title));

    [Theory]
    [MemberData(nameof(Panels))]
    public async Task A_panel_shows_only_the_Harbor_and_the_replica_that_are_chosen(string uid, string title)
    {
        var panel = Find(uid, title);
        var chosen = GrafanaSelection.Of(new Dictionary<string, IReadOnlyList<string>>
        {
            ["job"] = ["harbor-scan-exporter"],
            ["instance"] = FaultyHarbors.Replicas,
            ["harbor"] = [FaultyHarbors.Two],
        });
        foreach (var target in panel.Targets)
        {
            var series = await faulty.Prometheus.DrawAsync(target, chosen);
            Assert.True(series.Count > 0, $"{target} is empty.");
            Assert.All(series, one => Assert.Equal(title == AgeOfOpenTasks ? "" : FaultyHarbors.Two, one["harbor"]));
        }
    }

    [Theory]
    [MemberData(nameof(Panels))]
    public async Task A_panel_shows_the_same_of_two_replicas_as_of_one(string uid, string title)
    {
        var panel = Find(uid, title);
        foreach (var target in panel.Targets)
        {
            var series = await faulty.Prometheus.QueryAsync(GrafanaSelection.All(panel.Dashboard).Fill(target.Expression));
            if (title == AgeOfOpenTasks || series.All(one => one["instance"].Length > 0)) continue;
            var byHarbor = series.ToLookup(one => one["harbor"], one => (Labels: Others(one), one.Value));
            var two = byHarbor[FaultyHarbors.Two].OrderBy(one => one.Labels, StringComparer.Ordinal).ToList();
            var single = byHarbor[FaultyHarbors.One].OrderBy(one => one.Labels, StringComparer.Ordinal).ToList();
            Assert.NotEmpty(single);
            Assert.Equal(single.Select(one => one.Labels), two.Select(one => one.Labels));
            Assert.All(single.Zip(two), pair => Assert.Equal(pair.First.Value, pair.Second.Value, Tolerance(target)));
        }
    }

    [Fact]
    public async Task The_two_replicas_are_really_two()
    {
        var one = await OneReplicaAsync("harbor_scan_stuck_tasks");
        var sums = await faulty.Prometheus.QueryAsync("sum by (harbor) (harbor_scan_stuck_tasks)");
        Assert.Equal([(FaultyHarbors.Two, 2 * one), (FaultyHarbors.One, one)], sums.Select(sum => (sum["harbor"], sum.Value)).Order());
    }

    [Fact]
    public async Task The_number_of_stuck_tasks_is_that_of_the_rows()
    {
        var one = await OneReplicaAsync("harbor_scan_stuck_tasks");
        var target = Find("harbor-scan-overview", "Stuck tasks").Targets[0];
        var series = await faulty.Prometheus.DrawAsync(target, GrafanaSelection.All(target.Panel.Dashboard));
        Assert.True(one > 0);
        Assert.Equal([(FaultyHarbors.Two, one), (FaultyHarbors.One, one)],
            series.Select(number => (number["harbor"], number.Value)).Order());
    }

    [Fact]
    public async Task The_buckets_of_the_age_of_open_tasks_rise_with_the_age()
    {
        const string Open = "status=~\"Pending|Scheduled|Running\"";
        var target = Find("harbor-scan-overview", AgeOfOpenTasks).Targets[0];
        var series = await faulty.Prometheus.QueryAsync(GrafanaSelection.All(target.Panel.Dashboard).Fill(target.Expression));
        Assert.All(series, bucket => Assert.Equal(["le"], bucket.Labels.Keys));

        var open = await OneReplicaAsync("harbor_scan_tasks", Open);
        var expected = new List<(double Le, double Count)> { (double.PositiveInfinity, 2 * open) };
        foreach (var age in await faulty.Prometheus.LabelValuesAsync("age_seconds", "harbor_scan_tasks_older_than"))
        {
            var older = await OneReplicaAsync("harbor_scan_tasks_older_than", $"age_seconds=\"{age}\"");
            expected.Add((double.Parse(age, CultureInfo.InvariantCulture), 2 * (open - older)));
        }
        var buckets = series.Select(bucket =>
            (Le: bucket["le"] == "+Inf" ? double.PositiveInfinity : double.Parse(bucket["le"], CultureInfo.InvariantCulture), bucket.Value))
            .OrderBy(bucket => bucket.Le).ToList();
        Assert.Equal(expected.OrderBy(bucket => bucket.Le), buckets);
        Assert.Equal(buckets.Select(bucket => bucket.Value).Order(), buckets.Select(bucket => bucket.Value));
        Assert.True(buckets[0].Value < buckets[^1].Value);
    }

    [Theory]
    [MemberData(nameof(Panels))]
    public async Task A_panel_names_its_series_by_labels_that_they_have(string uid, string title)
    {
        var panel = Find(uid, title);
        foreach (var target in panel.Targets)
        {
            var labels = (await faulty.Prometheus.DrawAsync(target, GrafanaSelection.All(panel.Dashboard)))
                .SelectMany(one => one.Labels.Keys).ToHashSet(StringComparer.Ordinal);
            Assert.Empty(Legend().Matches(Dashboard.Text(target.Json["legendFormat"])).Select(match => match.Groups["label"].Value)
                .Except(labels));
            Assert.Empty(Columns(panel).Except([.. labels, "Value"]));
        }
    }

    [Theory]
    [MemberData(nameof(Variables))]
    public async Task A_variable_lists_the_values_of_its_label(string uid, string name)
    {
        var dashboard = Dashboard.All.Single(one => one.Uid == uid);
        var query = LabelValues.Read(Dashboard.Text(dashboard.Variable(name)!["query"]))!;
        var values = await faulty.Prometheus.LabelValuesAsync(query.Label, GrafanaSelection.All(dashboard).Fill(query.Selector));
        Assert.Equal(
            name switch
            {
                "job" => ["harbor-scan-exporter"],
                "instance" => ["exporter-a.eu:10988", "exporter-a.us:10988", "exporter-b.eu:10988"],
                _ => [FaultyHarbors.Two, FaultyHarbors.One],
            },
            values);
    }

    [Fact]
    public async Task The_annotation_shows_the_firing_alerts_of_scans_alone()
    {
        foreach (var dashboard in Dashboard.All)
        {
            var expression = Annotated(dashboard, "Firing alerts");
            var all = await faulty.Prometheus.QueryAsync(GrafanaSelection.All(dashboard).Fill(expression));
            Assert.Equal(["HarborScanExporterDown", "HarborScanStuck"],
                all.Select(one => one["alertname"]).Distinct().Order(StringComparer.Ordinal));

            var chosen = await faulty.Prometheus.QueryAsync(GrafanaSelection.Of(new Dictionary<string, IReadOnlyList<string>>
            {
                ["job"] = ["harbor-scan-exporter", "another"],
                ["harbor"] = [FaultyHarbors.One],
            }).Fill(expression));
            Assert.Equal(
                [FaultyHarbors.One],
                chosen.Where(one => one["alertname"] == "HarborScanStuck").Select(one => one["harbor"]).Distinct());

            var another = await faulty.Prometheus.QueryAsync(GrafanaSelection.Of(new Dictionary<string, IReadOnlyList<string>>
            {
                ["job"] = ["another"],
                ["harbor"] = [FaultyHarbors.One],
            }).Fill(expression));
            Assert.DoesNotContain("HarborScanStuck", another.Select(one => one["alertname"]));
        }
    }

    [Fact]
    public async Task The_annotation_shows_the_repairs_of_the_chosen_Harbor_once_for_all_replicas()
    {
        foreach (var dashboard in Dashboard.All)
        {
            var expression = Annotated(dashboard, "Repairs");
            // Since the start of the server: the repair was one scrape of it.
            var all = await faulty.Prometheus.QueryRangeAsync(GrafanaSelection.All(dashboard).Fill(expression), TimeSpan.FromMinutes(30), TimeSpan.FromSeconds(1));
            Assert.Equal([(FaultyHarbors.Two, "finish_task"), (FaultyHarbors.One, "finish_task")], all.Select(one => (one["harbor"], one["action"])).Order());
            Assert.All(all, one => Assert.All(one.Samples, sample => Assert.InRange(sample.Value, 0.5, 2)));
            var chosen = await faulty.Prometheus.QueryRangeAsync(GrafanaSelection.Of(new Dictionary<string, IReadOnlyList<string>>
            {
                ["job"] = ["harbor-scan-exporter"],
                ["instance"] = FaultyHarbors.Replicas,
                ["harbor"] = [FaultyHarbors.Two],
            }).Fill(expression), TimeSpan.FromMinutes(30), TimeSpan.FromSeconds(1));
            Assert.Equal([FaultyHarbors.Two], chosen.Select(one => one["harbor"]));
        }
    }

    private static string Annotated(Dashboard dashboard, string name) =>
        Dashboard.Text(dashboard.Annotations.Single(annotation => Dashboard.Text(annotation["name"]) == name)["expr"]);

    private static Panel Find(string uid, string title) => Dashboard.All.Single(dashboard => dashboard.Uid == uid).Panel(title);

    /// <summary>The sum over the series of a metric that one exporter shows.</summary>
    private async Task<double> OneReplicaAsync(string metric, string matchers = "")
    {
        var sum = await faulty.Prometheus.QueryAsync($"sum({metric}{{harbor=\"{FaultyHarbors.One}\", {matchers}}})");
        return Assert.Single(sum).Value;
    }

    private static string Others(PrometheusSeries series) =>
        string.Join(',', series.Labels.Where(label => label.Key != "harbor").OrderBy(label => label.Key, StringComparer.Ordinal)
            .Select(label => $"{label.Key}={label.Value}"));

    /// <summary>The replicas are scraped one after the other and the two Harbors were made one beside the other, so times differ; counts do not.</summary>
    private static double Tolerance(Target target) => Dashboard.Text(target.Panel.Defaults?["unit"]) switch
    {
        // Prometheus extrapolates an increase to the borders of its range, in each series by the times of its own scrapes.
        _ when target.Expression.Contains("increase(", StringComparison.Ordinal) => 1,
        // So does a rate, and the scans of one Harbor do not end at the scrapes of the other.
        "short" when target.Expression.Contains("rate(", StringComparison.Ordinal) => 4,
        "percentunit" => 0.1,
        "s" or "dtdurations" => 10,
        "dateTimeFromNow" => 10_000,
        _ => 0,
    };

    private static IEnumerable<string> Columns(Panel panel) =>
        Dashboard.Objects(panel.Json["transformations"]).Where(one => Dashboard.Text(one["id"]) == "filterFieldsByName")
            .SelectMany(one => one["options"]!["include"]!["names"]!.AsArray()).Select(Dashboard.Text);

    [GeneratedRegex(@"\{\{(?<label>\w+)\}\}")]
    private static partial Regex Legend();
}

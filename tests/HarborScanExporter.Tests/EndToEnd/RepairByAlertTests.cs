using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Alerts;
using HarborScanExporter.Tests.Support;
using HarborSimulator;
using HarborSimulator.Api;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// Scans break, Prometheus sees it by the shipped rules, two Alertmanagers post to two exporters, each with the token, and the rows are repaired
/// once: what was refused is accepted again. The exporters' clock is fast, so that a minute between two looks takes seconds.
/// </summary>
public sealed partial class RepairByAlertTests(ITestOutputHelper output)
{
    private const int Fast = 12;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public Task What_broke_is_repaired_once_the_alerts_resolve_and_what_was_refused_is_accepted_again() => PlayAsync(output);

    private static async Task PlayAsync(ITestOutputHelper output)
    {
        await using var harbor = await TestHarbor.CreateAsync("2.10.0");
        await using var redis = await RedisServer.StartAsync();
        await harbor.GrantRemediationAsync();
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, 30 * Hour,
            new SimulationSettings { ErrorShare = 0, SbomShare = 0, IndexShare = 0, PushesPerHour = 4, Sweeps = false, MeanScan = TimeSpan.FromSeconds(2) });
        var broken = await BreakAsync(simulated);
        await simulated.CatchUpAsync();
        await simulated.Simulation.MoveToRedisAsync(redis.Database);
        await using var api = await HarborApiServer.StartAsync(simulated.Simulation);
        using var end = new CancellationTokenSource();
        var living = LiveAsync(simulated, api, end.Token);

        // What is refused now.
        Assert.Equal("a previous scan process is Pending", (await api.RunAsync(its => its.ScanAsync(broken.Lost))).Refusal);
        Assert.Equal("a previous scan all job aleady exits, its status is Running", (await api.RunAsync(its => its.ScanAllAsync())).Refusal);
        Assert.Equal(["IMAGE_SCAN"], (await api.RunAsync(its => its.SweepAsync())).FailedVendors);

        (string, string)[] settings =
        [
            .. harbor.RemediationEnvironment().Where(pair => pair.Key.StartsWith("HARBOR_SCAN_REMEDIATION", StringComparison.Ordinal)).Select(pair => (pair.Key, pair.Value)),
            (Setting.Names.RedisUrl, redis.Url), (Setting.Names.ScrapeTimeout, "2m"),
            (Setting.Names.ServiceHost, api.Address.Host), (Setting.Names.ServicePort, $"{api.Address.Port}"),
            (Setting.Names.ApiUsername, HarborApiUser.Administrator.Name), (Setting.Names.ApiPassword, HarborApiUser.Administrator.Password),
        ];
        await using var first = await OperatedHarbor.StartAsync(harbor, new FastTime(Fast), settings);
        await using var second = await OperatedHarbor.StartAsync(harbor, new FastTime(Fast), settings);
        var folder = Directory.CreateTempSubdirectory("rules-").FullName;
        var rules = Path.Combine(folder, "harbor-scan.rules.yml");
        await File.WriteAllTextAsync(rules, KeepFiring().Replace(For().Replace(await File.ReadAllTextAsync(AlertRules.File), "for: 2s"), "keep_firing_for: 2s"));
        await using var one = await AlertmanagerServer.StartAsync(Receiver(first, second));
        await using var other = await AlertmanagerServer.StartAsync(Receiver(first, second));
        await using var prometheus = await PrometheusServer.StartAsync(
            [new(first.Exporter.Address.Authority), new(second.Exporter.Address.Authority)], [rules], $"{one.Address},{other.Address}", TimeSpan.FromSeconds(1));

        string[] about = ["HarborScanLost", "HarborScanUnreported", "HarborScanAllBlocked", "HarborScanInconsistentRows", "HarborScanSweepBlocked"];
        var fired = new HashSet<string>(StringComparer.Ordinal);
        string[] firing = [];
        await Eventually.HoldsAsync(
            async () =>
            {
                firing = [.. (await prometheus.QueryAsync("ALERTS{alertstate=\"firing\"}")).Select(series => series["alertname"]).Intersect(about).Distinct()];
                fired.UnionWith(firing);
                // The first alert wakes the repair of everything, so that another may have nothing left to fire for.
                return fired.Count > 0 && firing.Length == 0 && await harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair where state = 'done'") >= 7;
            },
            TimeSpan.FromMinutes(4),
            () => $"Fired: {string.Join(", ", fired)}. Firing still: {string.Join(", ", firing)}.{Environment.NewLine}{string.Join(Environment.NewLine, first.Exporter.Logs.GetSnapshot().Select(record => record.Message).TakeLast(40))}{Environment.NewLine}{one.Log}");
        await end.CancelAsync();
        await living;

        var audit = await harbor.Database.ScalarAsync<string>("select string_agg(concat_ws(' ', source, action, state, failure, verdict), E'\n' order by id) from harbor_scan.repair");
        output.WriteLine(audit);
        Assert.Equal(0, await harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair where state not in ('done') or source not in ('alert', 'verification')"));
        // No thing was repaired twice, though four deliveries came of every alert.
        Assert.Equal("", await harbor.Database.ScalarAsync<string>("""
            select coalesce(string_agg(concat(action, ' ', task_id, ' ', execution_id), E'\n'), '')
            from (select action, task_id, execution_id from harbor_scan.repair group by 1, 2, 3 having count(*) > 1) twice
            """));
        Assert.Equal(0, await harbor.Database.ScalarAsync<long>("select count(*) from task where vendor_type in ('IMAGE_SCAN', 'SCAN_ALL') and (status in ('Pending', 'Running') or status_code < 3) and creation_time < now() at time zone 'utc' - interval '1 hour'"));
        Assert.Equal(2, await harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair where action = 'finish_task' and status = 'Success'"));
        Assert.Equal(3, await harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair where action = 'stop_job'"));

        // What was refused is accepted.
        Assert.Null((await api.RunAsync(its => its.ScanAsync(broken.Lost))).Refusal);
        Assert.Null((await api.RunAsync(its => its.ScanAllAsync())).Refusal);
        Assert.Empty((await api.RunAsync(its => its.SweepAsync())).FailedVendors);

        // Old deliveries, come again, late, truncated or as resolved, change nothing.
        foreach (var (body, status) in new[] { (Delivery("firing", 0), "accepted"), (Delivery("resolved", 0), "ignored"), (Delivery("firing", 7), null), (Delivery("firing", 0), null) })
        {
            using var answer = await first.SendAsync("POST", "/api/v1/alerts", OperatedHarbor.Bearer(), request => request.Content = new StringContent(body, Encoding.UTF8, "application/json"));
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            if (status is not null) Assert.Equal(status, (await answer.Content.ReadFromJsonAsync<System.Text.Json.JsonElement>()).GetProperty("status").GetString());
        }
        await Task.Delay(TimeSpan.FromSeconds(8));
        Assert.Equal(audit, await harbor.Database.ScalarAsync<string>("select string_agg(concat_ws(' ', source, action, state, failure, verdict), E'\n' order by id) from harbor_scan.repair"));
        Directory.Delete(folder, recursive: true);
    }

    private sealed record Broken(HarborArtifact Lost);

    /// <summary>Three scans lose their jobs, two are over and not reported, a scan-all is not refreshed, and a stopped queue leaves wrong codes that block the sweep.</summary>
    private static async Task<Broken> BreakAsync(SimulatedHarbor simulated)
    {
        var simulation = simulated.Simulation;
        await simulated.CatchUpAsync(20 * Hour);
        var stopped = await simulation.PushAsync("library", "stopped", "1");
        await simulation.PauseQueueAsync();
        Assert.True((await simulation.ScanAsync(stopped)).Accepted);
        await simulation.StopQueueAsync();
        await simulation.ResumeQueueAsync();
        await simulation.AdvanceAsync(TimeSpan.FromMinutes(2));
        Assert.True((await simulation.ScanAsync(stopped)).Accepted);
        await simulated.CatchUpAsync(5 * Hour);
        simulation.HangNext(2);
        var finished = await simulated.ScanAsync(2, "unreported");
        for (var second = 0; second < 600 && !finished.All(simulation.IsRunning); second++) await simulation.AdvanceAsync(TimeSpan.FromSeconds(1));
        foreach (var task in finished) await simulation.FinishWithoutTellingAsync(task);
        await simulated.CatchUpAsync(4 * Hour);
        var scanAll = await simulation.ScanAllAsync();
        simulation.LoseRefresh(scanAll.ExecutionId ?? throw new InvalidOperationException(scanAll.Refusal));
        await simulated.CatchUpAsync(3 * Hour);
        var lost = await simulation.PushAsync("library", "lost", "1");
        Assert.True((await simulation.ScanAsync(lost)).Accepted);
        foreach (var tag in new[] { "2", "3" }) Assert.True((await simulation.PushAndScanAsync("library", "lost", tag)).Accepted);
        await simulation.LoseRedisAsync();
        return new Broken(lost);
    }

    /// <summary>Lets the simulated Harbor live at the pace of the real clock.</summary>
    private static async Task LiveAsync(SimulatedHarbor simulated, HarborApiServer api, CancellationToken end)
    {
        try
        {
            while (true)
            {
                await api.RunAsync(_ => simulated.CatchUpAsync(), CancellationToken.None);
                await Task.Delay(TimeSpan.FromSeconds(1), end);
            }
        }
        catch (OperationCanceledException)
        {
            // The test has seen enough.
        }
    }

    /// <summary>The shipped receiver with the addresses of this test, and less patience.</summary>
    private static string Receiver(params OperatedHarbor[] exporters) => $$"""
        route:
          receiver: nobody
          group_by: [alertname]
          routes:
            - receiver: repair
              matchers: [alertname=~"HarborScan(Stuck|StuckLong|Lost|Unreported|Hung|AllBlocked|SweepBlocked|InconsistentRows)"]
              group_wait: 0s
              group_interval: 2s
              repeat_interval: 5s
        receivers:
          - name: nobody
          - name: repair
            webhook_configs:
        {{string.Join('\n', exporters.Select(Webhook))}}
        """;

    private static string Webhook(OperatedHarbor exporter) => $"""
              - url: {exporter.Address}api/v1/alerts
                send_resolved: false
                http_config:
                  authorization:
                    credentials_file: {exporter.TokenFile}
        """;

    private static string Delivery(string status, int truncated) => $$"""
        {"version":"4","groupKey":"{}:{alertname=\"HarborScanLost\"}","truncatedAlerts":{{truncated}},"status":"{{status}}","receiver":"repair",
         "groupLabels":{"alertname":"HarborScanLost"},"commonLabels":{"alertname":"HarborScanLost"},"commonAnnotations":{},"externalURL":"http://alertmanager",
         "alerts":[{"status":"{{status}}","labels":{"alertname":"HarborScanLost","type":"IMAGE_SCAN"},"annotations":{},"startsAt":"2026-09-21T12:00:00Z",
                    "endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"1f2e3d4c5b6a7988"}]}
        """;

    [GeneratedRegex(@"(?<=^ +)for: \w+$", RegexOptions.Multiline)]
    private static partial Regex For();

    [GeneratedRegex(@"(?<=^ +)keep_firing_for: \w+$", RegexOptions.Multiline)]
    private static partial Regex KeepFiring();
}

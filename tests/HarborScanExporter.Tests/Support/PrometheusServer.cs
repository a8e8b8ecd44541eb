using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace HarborScanExporter.Tests.Support;

/// <summary>One address that Prometheus scrapes, with the target labels it adds (none unless given).</summary>
internal sealed record ScrapeTarget(string Address, IReadOnlyDictionary<string, string>? Labels = null);

/// <summary>One value of a series; <paramref name="At"/> is seconds since 1970.</summary>
internal readonly record struct PrometheusSample(double At, double Value);

/// <summary>One series of an answer: its labels and one sample (instant) or more (range).</summary>
internal sealed record PrometheusSeries(IReadOnlyDictionary<string, string> Labels, IReadOnlyList<PrometheusSample> Samples)
{
    /// <summary>The newest value.</summary>
    public double Value => Samples[^1].Value;

    /// <summary>The value of a label, empty when the series does not carry it.</summary>
    public string this[string label] => Labels.GetValueOrDefault(label, "");
}

/// <summary>What Prometheus says of one target: <c>up</c>, <c>down</c> or <c>unknown</c>, and the error of the last scrape.</summary>
internal sealed record TargetHealth(string Address, string Health, string LastError);

/// <summary>Prometheus refused a query: a syntax error, or one that its evaluation meets.</summary>
internal sealed class PrometheusQueryException(string message) : Exception(message);

/// <summary>A real Prometheus of its own folder and port, gone when it is disposed of.</summary>
internal sealed class PrometheusServer : IAsyncDisposable
{
    private const int Attempts = 5;
    private readonly RunningTool _process;
    private readonly string _folder;
    private readonly HttpClient _http;

    private PrometheusServer(RunningTool process, string folder, Uri address)
    {
        _process = process;
        _folder = folder;
        _http = new HttpClient { BaseAddress = address };
        Address = address;
    }

    /// <summary>Where it listens, ending in a slash.</summary>
    public Uri Address { get; }

    /// <summary>What it has printed so far.</summary>
    public string Log => _process.Log;

    /// <summary>Scrapes one address as the job <c>harbor-scan-exporter</c>.</summary>
    public static Task<PrometheusServer> StartAsync(string target, IReadOnlyList<string>? ruleFiles = null, string? alertmanager = null) =>
        StartAsync([new ScrapeTarget(target)], ruleFiles, alertmanager);

    /// <summary>
    /// Scrapes the addresses as the job <c>harbor-scan-exporter</c> and evaluates the rules, both every <paramref name="interval"/>
    /// (500 ms unless given), and returns when it answers. Rule files are full paths, Alertmanagers are host:port, separated by commas.
    /// </summary>
    public static async Task<PrometheusServer> StartAsync(IReadOnlyList<ScrapeTarget> targets, IReadOnlyList<string>? ruleFiles = null,
        string? alertmanager = null, TimeSpan? interval = null)
    {
        var folder = Directory.CreateTempSubdirectory("prometheus-").FullName;
        try
        {
            var configuration = Path.Combine(folder, "prometheus.yml");
            await File.WriteAllTextAsync(configuration,
                Configuration(targets, ruleFiles ?? [], alertmanager, interval ?? TimeSpan.FromMilliseconds(500)));
            var (process, address) = await ListenAsync(folder, configuration);
            return new PrometheusServer(process, folder, address);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>The value of an expression now; a scalar comes as one series without labels.</summary>
    public async Task<IReadOnlyList<PrometheusSeries>> QueryAsync(string promql) =>
        Series(await AskAsync("api/v1/query", ("query", promql)));

    /// <summary>The values of an expression over the last <paramref name="range"/>, one each <paramref name="step"/>.</summary>
    public async Task<IReadOnlyList<PrometheusSeries>> QueryRangeAsync(string promql, TimeSpan range, TimeSpan step)
    {
        var end = DateTimeOffset.UtcNow;
        return Series(await AskAsync("api/v1/query_range", ("query", promql),
            ("start", Seconds(end - range)), ("end", Seconds(end)), ("step", step.TotalSeconds.ToString(CultureInfo.InvariantCulture))));
    }

    /// <summary>The values that a label has on the series that a selector matches.</summary>
    public async Task<IReadOnlyList<string>> LabelValuesAsync(string label, string selector)
    {
        var data = await AskAsync($"api/v1/label/{label}/values?match[]={Uri.EscapeDataString(selector)}");
        return [.. data.AsArray().Select(value => value!.GetValue<string>())];
    }

    /// <summary>The targets with the outcome of their last scrape.</summary>
    public async Task<IReadOnlyList<TargetHealth>> TargetsAsync()
    {
        var data = await AskAsync("api/v1/targets?state=active");
        return [.. data["activeTargets"]!.AsArray().Select(target => new TargetHealth(
            target!["discoveredLabels"]!["__address__"]!.GetValue<string>(),
            target["health"]!.GetValue<string>(),
            target["lastError"]!.GetValue<string>()))];
    }

    /// <summary>The Alertmanagers that it sends alerts to.</summary>
    public async Task<IReadOnlyList<Uri>> AlertmanagersAsync()
    {
        var data = await AskAsync("api/v1/alertmanagers");
        return [.. data["activeAlertmanagers"]!.AsArray().Select(one => new Uri(one!["url"]!.GetValue<string>()))];
    }

    /// <summary>Waits until every target has been scraped this often, or fails with what Prometheus says of them.</summary>
    public async Task ScrapedAsync(int times = 3)
    {
        IReadOnlyList<TargetHealth> targets = [];
        await Eventually.HoldsAsync(
            async () =>
            {
                targets = await TargetsAsync();
                var counts = await QueryAsync("sum_over_time(up[1h])");
                return targets.Count > 0 && counts.Count == targets.Count && counts.All(count => count.Value >= times);
            },
            TimeSpan.FromSeconds(30),
            () => $"Not scraped {times} times: {string.Join("; ", targets)}");
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _process.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Between asking for a free port and listening on it another process may take it; then the next port is tried.</summary>
    private static async Task<(RunningTool Process, Uri Address)> ListenAsync(string folder, string configuration)
    {
        var data = Path.Combine(folder, "data");
        for (var attempt = 1; ; attempt++)
        {
            var address = new Uri($"http://127.0.0.1:{Tool.FreePort()}/");
            using var http = new HttpClient { BaseAddress = address };
            try
            {
                var process = await RunningTool.StartAsync("prometheus",
                    [
                        $"--config.file={configuration}",
                        $"--storage.tsdb.path={data}",
                        $"--web.listen-address={address.Authority}",
                        "--log.level=warn",
                    ],
                    () => AnswersForAsync(http, data));
                return (process, address);
            }
            catch (Exception error) when (attempt < Attempts && error.Message.Contains("address already in use", StringComparison.Ordinal))
            {
                // The port went to another process.
            }
        }
    }

    /// <summary>Ready, and the one that writes to this folder: a stranger on the port would be ready too.</summary>
    private static async Task<bool> AnswersForAsync(HttpClient http, string data)
    {
        using var ready = await http.GetAsync(new Uri("-/ready", UriKind.Relative));
        if (!ready.IsSuccessStatusCode) return false;
        var flags = JsonNode.Parse(await http.GetStringAsync(new Uri("api/v1/status/flags", UriKind.Relative)));
        return flags?["data"]?["storage.tsdb.path"]?.GetValue<string>() == data;
    }

    private static string Configuration(IReadOnlyList<ScrapeTarget> targets, IReadOnlyList<string> ruleFiles, string? alertmanager,
        TimeSpan interval)
    {
        var yaml = new StringBuilder();
        var every = string.Create(CultureInfo.InvariantCulture, $"{(int)interval.TotalMilliseconds}ms");
        yaml.Append(CultureInfo.InvariantCulture, $"""
            global:
              scrape_interval: {every}
              scrape_timeout: {every}
              evaluation_interval: {every}
            rule_files: [{string.Join(", ", ruleFiles.Select(Quoted))}]
            scrape_configs:
              - job_name: harbor-scan-exporter
                static_configs:

            """);
        foreach (var target in targets)
        {
            var labels = target.Labels ?? new Dictionary<string, string>();
            yaml.Append(CultureInfo.InvariantCulture, $"      - targets: [{Quoted(target.Address)}]\n");
            yaml.Append(CultureInfo.InvariantCulture,
                $"        labels: {{{string.Join(", ", labels.Select(label => $"{label.Key}: {Quoted(label.Value)}"))}}}\n");
        }
        if (alertmanager is not null)
        {
            yaml.Append(CultureInfo.InvariantCulture, $$"""
                alerting:
                  alertmanagers:
                    - static_configs: [{targets: [{{string.Join(", ", alertmanager.Split(',').Select(Quoted))}}]}]

                """);
        }
        return yaml.ToString();
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Seconds(DateTimeOffset time) =>
        (time.ToUnixTimeMilliseconds() / 1000.0).ToString("F3", CultureInfo.InvariantCulture);

    /// <summary>Asks with GET, or with POST when there are fields (a query may be longer than an address).</summary>
    private async Task<JsonNode> AskAsync(string path, params (string Name, string Value)[] fields)
    {
        var address = new Uri(path, UriKind.Relative);
        using var form = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        using var answer = fields.Length == 0 ? await _http.GetAsync(address) : await _http.PostAsync(address, form);
        var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        return body["status"]!.GetValue<string>() == "success"
            ? body["data"]!
            : throw new PrometheusQueryException(
                $"{body["errorType"]}: {body["error"]} in {string.Join(' ', fields.Select(field => field.Value))}");
    }

    private static IReadOnlyList<PrometheusSeries> Series(JsonNode data)
    {
        var result = data["result"]!.AsArray();
        return data["resultType"]!.GetValue<string>() is "scalar" or "string"
            ? [new PrometheusSeries(new Dictionary<string, string>(), [Sample(result)])]
            : [.. result.Select(one => new PrometheusSeries(Labels(one!["metric"]!.AsObject()), Samples(one)))];
    }

    private static Dictionary<string, string> Labels(JsonObject metric) =>
        metric.ToDictionary(label => label.Key, label => label.Value!.GetValue<string>(), StringComparer.Ordinal);

    private static IReadOnlyList<PrometheusSample> Samples(JsonNode series) =>
        series["values"] is JsonArray values ? [.. values.Select(value => Sample(value!.AsArray()))] : [Sample(series["value"]!.AsArray())];

    private static PrometheusSample Sample(JsonArray pair) =>
        new(pair[0]!.GetValue<double>(), Number(pair[1]!.GetValue<string>()));

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };
}

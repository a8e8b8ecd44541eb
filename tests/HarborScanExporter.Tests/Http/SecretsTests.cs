using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Http;

/// <summary>Secrets are planted wherever this program passes by; none may come out.</summary>
public sealed class SecretsTests
{
    private const string RedisPassword = "planted-redis-password-c41d";
    private const string ApiPassword = "planted-api-password-77ab";

    [Fact]
    public async Task No_planted_secret_is_in_a_page_an_answer_a_header_or_the_log()
    {
        await using var harbor = await TestHarbor.CreateAsync("2.13.0");
        await using var redis = await RedisServer.StartAsync("--requirepass", RedisPassword);
        var seed = new Seed(harbor);
        var jobs = new JobServiceSeed(redis);
        await jobs.UpAsync();
        var execution = await seed.ExecutionAsync(started: TimeSpan.FromHours(30));
        var extra = $$"""{"artifact_id":1,"report_uuids":["u1"],"robot_id":1,"robotAccount":"{{JobServiceSeed.Secret}}"}""";
        await seed.TaskAsync(execution, created: TimeSpan.FromHours(30), jobId: "lost", extraAttributes: extra);
        await seed.TaskAsync(execution, status: "Running", revision: Seed.RevisionAgo(TimeSpan.FromHours(3)), created: TimeSpan.FromHours(4), update: Seed.Ago(TimeSpan.FromHours(3)), jobId: "hung", extraAttributes: extra);
        await jobs.RecordAsync("hung", "Running", TimeSpan.FromHours(3), acknowledged: "Running");
        await jobs.InProgressAsync("hung", TimeSpan.FromHours(4));
        await jobs.WorkerAsync("hung", TimeSpan.FromHours(3));
        await jobs.QueueAsync(TimeSpan.FromHours(30), "waiting");
        await harbor.Database.ExecuteAsync($"update robot set salt = '{JobServiceSeed.Secret}', secret = '{JobServiceSeed.Secret}'");
        var time = new FakeTimeProvider();
        await using var operated = await OperatedHarbor.StartAsync(harbor, time,
            ("HARBOR_REDIS_URL", $"redis://:{RedisPassword}@127.0.0.1:{redis.Port}/{RedisServer.Number}"), ("HARBOR_SERVICE_HOST", "127.0.0.1"), ("HARBOR_SERVICE_PORT", $"{Tool.FreePort()}"),
            ("HARBOR_API_USERNAME", "someone"), ("HARBOR_API_PASSWORD", ApiPassword));
        await operated.GetAsync("/api/v1/findings");
        time.Advance(TimeSpan.FromSeconds(61));
        List<string> all = [];
        string[] asked =
        [
            "/", "/status", "/api/v1/findings", "/api/v1/openapi.yaml", "/nothing", "/?q=lost", "/?verdict=wrong", "/api/v1/findings?page=0",
            new Uri(operated.Exporter.Address, "/").AbsoluteUri, new Uri(operated.Exporter.Address, "/metrics").AbsoluteUri, new Uri(operated.Exporter.Address, "/readyz").AbsoluteUri,
        ];
        foreach (var path in asked)
            foreach (var credentials in new[] { null, OperatedHarbor.Bearer(), OperatedHarbor.Basic(), OperatedHarbor.Bearer("wrong") })
            {
                using var answer = await operated.SendAsync("GET", path, credentials);
                all.Add($"{path} {answer.Headers}{answer.Content.Headers}{await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
            }
        await redis.KillAsync();
        all.Add(await operated.GetAsync("/api/v1/findings"));
        all.Add(await operated.GetAsync("/"));
        await redis.RestartAsync();
        all.AddRange(operated.Exporter.Logs.GetSnapshot().Select(record => $"log: {record.Message} {record.Exception}"));
        Assert.Contains(all, text => text.Contains("A worker holds this scan", StringComparison.Ordinal));
        Assert.Contains(all, text => text.Contains("no longer knows this scan", StringComparison.Ordinal));
        foreach (var secret in new[] { OperatedHarbor.Token, TestHarbor.Password, RedisPassword, ApiPassword, JobServiceSeed.Secret, Uri.EscapeDataString(TestHarbor.Password), System.Net.WebUtility.HtmlEncode(TestHarbor.Password) })
            Assert.DoesNotContain(all, text => text.Contains(secret, StringComparison.Ordinal));
    }
}

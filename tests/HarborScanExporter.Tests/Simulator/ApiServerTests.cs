using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using HarborScanExporter.Tests.Support;
using HarborSimulator.Api;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>The simulated API against what is known of Harbor's (harbor-facts 9).</summary>
public sealed class ApiServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_an_administrator_who_signs_in_gets_in()
    {
        await using var served = await ServedHarbor.StartAsync();
        (string Method, string Path)[] routes =
        [
            ("PUT", "jobservice/jobs/x"), ("GET", "jobservice/pools"), ("DELETE", "robots/1"), ("POST", "system/scanAll/schedule"), ("POST", "system/scanAll/stop"),
            ("POST", "projects/library/repositories/app/artifacts/sha256:0/scan"),
        ];
        foreach (var (method, path) in routes)
        {
            Assert.Equal((401, "UNAUTHORIZED"), await CodeAsync(served, method, path, user: null));
            Assert.Equal((401, "UNAUTHORIZED"), await CodeAsync(served, method, path, user: HarborApiUser.Administrator with { Password = "wrong" }));
            Assert.Equal((403, "FORBIDDEN"), await CodeAsync(served, method, path, user: ServedHarbor.Guest));
        }
        Assert.Equal([null, "admin", "guest"], served.Api.Requests.Select(request => request.User).Distinct());
        Assert.DoesNotContain(served.Api.Requests, request => request.ToString().Contains(ServedHarbor.Guest.Password, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stopping_an_open_job_ends_it_with_a_hook_and_deletes_its_robot()
    {
        await using var served = await ServedHarbor.StartAsync();
        served.Harbor.HangNext(1);
        var (task, _) = await served.Simulated.RunningScanAsync();
        Assert.Equal((200, ""), await StopAsync(served, await served.JobOfAsync(task)));
        Assert.Equal("Stopped|3|0", await served.Simulated.OneAsync("select status, status_code, (select count(*) from robot) from task"));
        Assert.True(served.Harbor.Happened["IMAGE_SCAN Stopped"] == 1);
    }

    [Fact]
    public async Task Stopping_a_queued_job_frees_its_row_and_no_worker_runs_it_later()
    {
        await using var served = await ServedHarbor.StartAsync();
        await served.Harbor.PauseQueueAsync(cancellationToken: Token);
        var (task, execution) = await served.Simulated.ScanAsync();
        Assert.Equal((200, ""), await StopAsync(served, await served.JobOfAsync(task)));
        await served.Harbor.ResumeQueueAsync(cancellationToken: Token);
        await served.Simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Stopped|3", await served.Simulated.StatusAsync(task));
        Assert.Equal("Stopped", await served.Simulated.ExecutionAsync(execution));
    }

    [Fact]
    public async Task Stopping_a_job_that_is_final_in_Redis_has_no_effect()
    {
        await using var served = await ServedHarbor.StartAsync();
        var (task, _) = await served.Simulated.RunningScanAsync();
        served.Harbor.LoseFinalHook(task);
        await served.Simulated.AdvanceAsync(TimeSpan.FromMinutes(2));
        Assert.Equal((200, ""), await StopAsync(served, await served.JobOfAsync(task)));
        Assert.Equal("Running|2", await served.Simulated.StatusAsync(task));
    }

    [Theory]
    [InlineData("Pending", 0)]
    [InlineData("Success", 3)]
    public async Task Stopping_a_job_that_Redis_does_not_know_stops_its_row_whatever_it_was_and_leaves_its_robot(string status, int code)
    {
        await using var served = await ServedHarbor.StartAsync();
        var (task, execution) = await served.Simulated.ScanAsync();
        var job = await served.JobOfAsync(task);
        await served.Harbor.LoseJobAsync(task, Token);
        await served.Simulated.RunAsync($"update task set status = '{status}', status_code = {code}");
        Assert.Equal((200, ""), await StopAsync(served, job));
        Assert.Equal("Stopped|3|t|1", await served.Simulated.OneAsync("select status, status_code, end_time is not null, (select count(*) from robot) from task"));
        Assert.Equal("Stopped", await served.Simulated.ExecutionAsync(execution));
        Assert.DoesNotContain("IMAGE_SCAN Stopped", served.Harbor.Happened.Keys);
    }

    [Fact]
    public async Task A_row_that_was_written_from_outside_is_stopped_like_any_other()
    {
        await using var served = await ServedHarbor.StartAsync();
        await served.Simulated.RunAsync("""
            insert into execution (id, vendor_type, status, trigger, revision) values (900, 'IMAGE_SCAN', 'Running', 'MANUAL', 0);
            insert into task (id, execution_id, job_id, status, status_code, status_revision, vendor_type) values (901, 900, 'aaaaaaaaaaaaaaaaaaaaaaaa', 'Running', 2, 5, 'IMAGE_SCAN')
            """);
        Assert.Equal((200, ""), await StopAsync(served, "aaaaaaaaaaaaaaaaaaaaaaaa"));
        Assert.Equal("Stopped|3|5|Stopped", await served.Simulated.OneAsync("select t.status, t.status_code, t.status_revision, e.status from task t join execution e on e.id = t.execution_id"));
    }

    [Fact]
    public async Task Stopping_tells_nothing_of_a_job_without_a_task_and_gives_up_one_with_two()
    {
        await using var served = await ServedHarbor.StartAsync();
        var (first, _) = await served.Simulated.RunningScanAsync();
        var (second, _) = await served.Simulated.ScanAsync();
        Assert.Equal((200, ""), await StopAsync(served, "0123456789abcdef01234567"));
        var job = await served.JobOfAsync(first);
        await served.Simulated.RunAsync($"update task set job_id = '{job}' where id = {second}");
        var (status, body) = await StopAsync(served, job);
        Assert.Equal((500, "internal server error"), (status, MessageOf(body)));
        Assert.Equal(["Running|2", "Pending|0"], await served.Simulated.RowsAsync("select status, status_code from task order by id"));
    }

    [Fact]
    public async Task The_word_all_stops_whatever_runs_and_the_action_is_not_looked_at()
    {
        await using var served = await ServedHarbor.StartAsync();
        served.Harbor.HangNext(2);
        await served.Simulated.RunningScanAsync();
        await served.Simulated.RunningScanAsync();
        Assert.Equal(200, (await SendAsync(served, "PUT", "jobservice/jobs/all", """{"action":"anything"}""")).Status);
        Assert.Equal(["Stopped|3", "Stopped|3"], await served.Simulated.RowsAsync("select status, status_code from task"));
    }

    [Fact]
    public async Task Without_a_job_service_nothing_is_stopped_or_scanned()
    {
        await using var served = await ServedHarbor.StartAsync();
        var (task, _) = await served.Simulated.RunningScanAsync();
        served.Harbor.KillJobService();
        Assert.Equal(500, (await StopAsync(served, await served.JobOfAsync(task))).Status);
        var artifact = await served.Harbor.PushAsync(tag: "other", cancellationToken: Token);
        Assert.Equal(500, (await ScanAsync(served, "library", "app", artifact.Digest)).Status);
        Assert.Equal(["Running|2"], await served.Simulated.RowsAsync("select status, status_code from task"));
        Assert.Equal("unhealthy", (string?)JsonNode.Parse((await SendAsync(served, "GET", "health", user: null)).Body)!["status"]);
    }

    [Fact]
    public async Task A_repository_with_a_slash_is_found_under_its_doubly_encoded_name_alone()
    {
        await using var served = await ServedHarbor.StartAsync();
        var artifact = await served.Harbor.PushAsync("library", "team/app", cancellationToken: Token);
        Assert.Equal((404, "NOT_FOUND"), await CodeAsync(served, "POST", $"projects/library/repositories/team%2Fapp/artifacts/{artifact.Digest}/scan"));
        Assert.Equal((404, "NOT_FOUND"), await CodeAsync(served, "POST", $"projects/library/repositories/team/app/artifacts/{artifact.Digest}/scan"));
        Assert.Equal((202, ""), await ScanAsync(served, "library", "team%252Fapp", artifact.Digest));
        Assert.Equal("1", await served.Simulated.OneAsync("select count(*) from execution"));
        Assert.Equal($"/api/v2.0/projects/library/repositories/team%252Fapp/artifacts/{artifact.Digest}/scan", served.Api.Requests[^1].Path);
    }

    [Fact]
    public async Task A_scan_is_accepted_or_refused_in_Harbors_words()
    {
        await using var served = await ServedHarbor.StartAsync();
        var artifact = await served.Harbor.PushAsync(cancellationToken: Token);
        Assert.Equal(404, (await ScanAsync(served, "library", "app", "sha256:0")).Status);
        Assert.Equal(422, (await ScanAsync(served, "library", "app", artifact.Digest, """{"scan_type":"other"}""")).Status);
        Assert.Equal((202, ""), await ScanAsync(served, "library", "app", artifact.Digest));
        var conflict = await ScanAsync(served, "library", "app", artifact.Digest, """{"scan_type":"vulnerability"}""");
        Assert.Equal((409, "a previous scan process is Pending"), (conflict.Status, MessageOf(conflict.Body)));
        Assert.Equal((202, ""), await ScanAsync(served, "library", "app", artifact.Digest, """{"scan_type":"sbom"}"""));
        conflict = await ScanAsync(served, "library", "app", artifact.Digest, """{"scan_type":"sbom"}""");
        Assert.Equal((409, "a previous sbom generate process is running"), (conflict.Status, MessageOf(conflict.Body)));
        await served.Simulated.RunAsync("update artifact set type = 'CHART'");
        Assert.Equal(400, (await ScanAsync(served, "library", "app", artifact.Digest)).Status);
        await served.Simulated.RunAsync("update scanner_registration set disabled = true");
        Assert.Equal((412, "PRECONDITION"), await CodeAsync(served, "POST", $"projects/library/repositories/app/artifacts/{artifact.Digest}/scan"));
    }

    [Fact]
    public async Task A_scan_all_is_started_refused_while_one_runs_and_stopped()
    {
        await using var served = await ServedHarbor.StartAsync();
        const string manual = """{"schedule":{"type":"Manual"}}""";
        await served.Harbor.PushAsync(cancellationToken: Token);
        var none = await SendAsync(served, "POST", "system/scanAll/stop");
        Assert.Equal((400, "no scan all job is found currently"), (none.Status, MessageOf(none.Body)));
        Assert.Equal((201, ""), await SendAsync(served, "POST", "system/scanAll/schedule", manual));
        var second = await SendAsync(served, "POST", "system/scanAll/schedule", manual);
        Assert.Equal((409, "a previous scan all job aleady exits, its status is Running"), (second.Status, MessageOf(second.Body)));
        await served.Simulated.AdvanceAsync(TimeSpan.FromSeconds(5));
        Assert.Equal((202, ""), await SendAsync(served, "POST", "system/scanAll/stop"));
        Assert.Equal("Stopped", await served.Simulated.OneAsync("select status from execution"));
        Assert.Equal(201, (await SendAsync(served, "POST", "system/scanAll/schedule", manual)).Status);
        await served.Simulated.RunAsync("update scanner_registration set is_default = false");
        Assert.Equal(412, (await SendAsync(served, "POST", "system/scanAll/schedule", manual)).Status);
    }

    [Fact]
    public async Task A_hidden_robot_is_deleted_with_its_permissions_and_its_scan_can_no_longer_pull()
    {
        await using var served = await ServedHarbor.StartAsync();
        var (task, _) = await served.Simulated.RunningScanAsync();
        var robot = await served.Simulated.OneAsync("select id from robot where not visible");
        Assert.Equal((200, ""), await SendAsync(served, "DELETE", $"robots/{robot}"));
        Assert.Equal((404, "NOT_FOUND"), await CodeAsync(served, "DELETE", $"robots/{robot}"));
        Assert.Equal(422, (await SendAsync(served, "DELETE", "robots/x")).Status);
        Assert.Equal("0", await served.Simulated.OneAsync("select count(*) from role_permission"));
        await served.Simulated.AdvanceAsync(TimeSpan.FromMinutes(5));
        Assert.Equal("Error|3", await served.Simulated.StatusAsync(task));
    }

    [Fact]
    public async Task The_version_and_the_mode_are_told_to_those_who_sign_in()
    {
        await using var served = await ServedHarbor.StartAsync("2.13.0");
        var anybody = JsonNode.Parse((await SendAsync(served, "GET", "systeminfo", user: HarborApiUser.Administrator with { Password = "wrong" })).Body)!.AsObject();
        Assert.Equal(["auth_mode", "self_registration"], anybody.Select(field => field.Key));
        var info = JsonNode.Parse((await SendAsync(served, "GET", "systeminfo", user: ServedHarbor.Guest)).Body)!;
        Assert.StartsWith("v2.13.0-", (string?)info["harbor_version"], StringComparison.Ordinal);
        Assert.False((bool)info["read_only"]!);
        Assert.Equal("2026-09-21T00:00:00.000Z", (string?)info["current_time"]);
        Assert.Equal("healthy", (string?)JsonNode.Parse((await SendAsync(served, "GET", "health", user: null)).Body)!["status"]);
        Assert.Single(JsonNode.Parse((await SendAsync(served, "GET", "jobservice/pools")).Body)!.AsArray());
    }

    [Fact]
    public async Task Read_only_mode_refuses_every_change_and_core_that_is_down_everything()
    {
        await using var served = await ServedHarbor.StartAsync();
        await served.Harbor.SetReadOnlyAsync(true, Token);
        Assert.Equal((403, "DENIED"), await CodeAsync(served, "PUT", "jobservice/jobs/x"));
        Assert.Equal((403, "DENIED"), await CodeAsync(served, "DELETE", "robots/1"));
        Assert.True((bool)JsonNode.Parse((await SendAsync(served, "GET", "systeminfo")).Body)!["read_only"]!);
        served.Harbor.StopCore();
        Assert.Equal(502, (await SendAsync(served, "GET", "systeminfo")).Status);
    }

    [Theory]
    [InlineData("2.6.0", "PUT", "jobservice/jobs/x")]
    [InlineData("2.6.0", "GET", "jobservice/pools")]
    [InlineData("2.3.0", "POST", "system/scanAll/stop")]
    [InlineData("2.11.0", "GET", "robots/1")]
    public async Task A_route_that_the_release_does_not_have_is_not_found(string release, string method, string path)
    {
        await using var served = await ServedHarbor.StartAsync(release);
        Assert.Equal((404, "NOT_FOUND"), await CodeAsync(served, method, path));
    }

    [Fact]
    public async Task A_session_needs_a_token_for_every_change()
    {
        await using var served = await ServedHarbor.StartAsync();
        using var client = new HttpClient(new SocketsHttpHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(served.Api.Address, "api/v2.0/") };
        Assert.Equal(200, (await SendAsync(client, "PUT", "jobservice/jobs/x", null, HarborApiUser.Administrator)).Status);
        var second = await SendAsync(client, "PUT", "jobservice/jobs/x", null, HarborApiUser.Administrator);
        Assert.Equal((403, "CSRF token not found in request"), (second.Status, MessageOf(second.Body)));
        Assert.Equal(200, (await SendAsync(client, "GET", "systeminfo", null, HarborApiUser.Administrator)).Status);
    }

    [Fact]
    public async Task Troubles_come_in_their_order_and_Harbor_acts_or_not()
    {
        await using var served = await ServedHarbor.StartAsync();
        await served.Harbor.PushAsync(cancellationToken: Token);
        const string scanAll = "system/scanAll/schedule";
        const string manual = """{"schedule":{"type":"Manual"}}""";
        served.Api.FailNext(1, 503);
        served.Api.DropNext(1, afterActing: false);
        Assert.Equal(503, (await SendAsync(served, "POST", scanAll, manual)).Status);
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(served, "POST", scanAll, manual));
        Assert.Equal("0", await served.Simulated.OneAsync("select count(*) from execution"));
        served.Api.DropNext(1, afterActing: true);
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(served, "POST", scanAll, manual));
        Assert.Equal("1", await served.Simulated.OneAsync("select count(*) from execution"));
        served.Api.Delay = TimeSpan.FromMilliseconds(300);
        var began = TimeProvider.System.GetTimestamp();
        Assert.Equal(200, (await SendAsync(served, "GET", "systeminfo")).Status);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.FromMilliseconds(290), TimeSpan.FromSeconds(10));
        Assert.Equal(["POST", "POST", "POST", "GET"], served.Api.Requests.Select(request => request.Method));
    }

    [Fact]
    public async Task Requests_and_the_simulations_time_take_turns()
    {
        await using var served = await ServedHarbor.StartAsync();
        for (var i = 0; i < 20; i++) await served.Harbor.PushAndScanAsync(tag: $"{i}", cancellationToken: Token);
        var jobs = await served.Simulated.RowsAsync("select job_id from task order by id");
        var stopping = jobs.Select(job => StopAsync(served, job)).ToList();
        for (var i = 0; i < 60; i++) await served.Api.RunAsync(harbor => harbor.AdvanceAsync(TimeSpan.FromSeconds(2), Token), Token);
        Assert.All(await Task.WhenAll(stopping), answer => Assert.Equal(200, answer.Status));
        await served.Api.RunAsync(harbor => harbor.AdvanceAsync(TimeSpan.FromMinutes(2), Token), Token);
        Assert.Equal("20|0", await served.Simulated.OneAsync("select count(*) filter (where status_code = 3), count(*) filter (where status_code < 3) from task"));
    }

    private static Task<(int Status, string Body)> StopAsync(ServedHarbor served, string job) => SendAsync(served, "PUT", $"jobservice/jobs/{job}", """{"action":"stop"}""");

    private static Task<(int Status, string Body)> ScanAsync(ServedHarbor served, string project, string repository, string reference, string? body = null) =>
        SendAsync(served, "POST", $"projects/{project}/repositories/{repository}/artifacts/{reference}/scan", body);

    private static async Task<(int Status, string? Code)> CodeAsync(ServedHarbor served, string method, string path) => await CodeAsync(served, method, path, HarborApiUser.Administrator);

    private static async Task<(int Status, string? Code)> CodeAsync(ServedHarbor served, string method, string path, HarborApiUser? user)
    {
        var (status, body) = await SendAsync(served, method, path, user: user);
        return (status, (string?)JsonNode.Parse(body)!["errors"]![0]!["code"]);
    }

    private static string? MessageOf(string body) => (string?)JsonNode.Parse(body)!["errors"]![0]!["message"];

    private static Task<(int Status, string Body)> SendAsync(ServedHarbor served, string method, string path, string? body = null) =>
        SendAsync(served, method, path, body, HarborApiUser.Administrator);

    private static Task<(int Status, string Body)> SendAsync(ServedHarbor served, string method, string path, HarborApiUser? user) => SendAsync(served, method, path, null, user);

    private static async Task<(int Status, string Body)> SendAsync(ServedHarbor served, string method, string path, string? body, HarborApiUser? user)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = new Uri(served.Api.Address, "api/v2.0/") };
        return await SendAsync(client, method, path, body, user);
    }

    private static async Task<(int Status, string Body)> SendAsync(HttpClient client, string method, string path, string? body, HarborApiUser? user)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (user is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user.Name}:{user.Password}")));
        // With a content, an empty one too, the HTTP client sends a request once.
        if (method != "GET") request.Content = new StringContent(body ?? "", Encoding.UTF8, "application/json");
        using var answer = await client.SendAsync(request, Token);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Token));
    }
}

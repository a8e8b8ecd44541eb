using System.Text;
using HarborScanExporter.HarborApi;
using HarborScanExporter.Tests.Support;
using HarborSimulator.Api;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.HarborApi;

/// <summary>Answers that Harbor would not give: none, too long a one, one of somebody else, one that repeats the password.</summary>
public sealed class ApiAnswersTests
{
    private const string Job = "0123456789abcdef01234567";
    private const string Password = "planted-api-password-9d1c";

    private static readonly string Credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{Password}"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_takes_the_request_and_never_answers_is_given_up_after_ten_seconds()
    {
        await using var server = new RawHttpServer(null);
        var time = new FakeTimeProvider();
        using var client = Client(server, time);
        var asking = client.StopJobAsync(Job, Token);
        await Eventually.HoldsAsync(() => Task.FromResult(server.Requests.Count == 1), TimeSpan.FromSeconds(10), () => "no request came");
        time.Advance(HarborApiClient.Limit - TimeSpan.FromMilliseconds(1));
        await Task.Delay(100, Token);
        Assert.False(asking.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(new ApiAnswer(ApiOutcome.Undecided, null, "no answer within 10 s"), await asking.WaitAsync(TimeSpan.FromSeconds(10), Token));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_caller_that_gives_up_is_told_so()
    {
        await using var server = new RawHttpServer(null);
        using var client = Client(server);
        using var giveUp = new CancellationTokenSource();
        var asking = client.StopJobAsync(Job, giveUp.Token);
        await Eventually.HoldsAsync(() => Task.FromResult(server.Requests.Count == 1), TimeSpan.FromSeconds(10), () => "no request came");
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WaitAsync(TimeSpan.FromSeconds(10), Token));
    }

    [Theory]
    [InlineData("200 OK", nameof(ApiOutcome.Done))]
    [InlineData("403 Forbidden", nameof(ApiOutcome.Denied))]
    [InlineData("500 Internal Server Error", nameof(ApiOutcome.Failed))]
    public async Task Of_ten_megabytes_the_status_counts_and_nothing_is_kept(string status, string expected)
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer(status, $$"""{"errors":[{"code":"X","message":"{{new string('a', 10 * 1024 * 1024)}}"}]}"""));
        using var client = Client(server);
        var answer = await client.StopJobAsync(Job, Token);
        Assert.Equal((expected, (string?)null), (answer.Outcome.ToString(), answer.Message));
    }

    [Theory]
    [InlineData(ApiConnection.MostBytes, ApiConnection.MostBytes)]
    [InlineData(ApiConnection.MostBytes + 1, null)]
    public async Task A_body_is_read_up_to_its_limit(int length, int? expected)
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer("200 OK", new string(' ', length)));
        using var connection = new ApiConnection(Settings(server.Address), HarborApiClient.Limit, TimeProvider.System);
        Assert.Equal(expected, (await connection.SendAsync(HttpMethod.Get, "systeminfo", null, Token)).Body?.Length);
        using var system = new SystemInfoClient(Settings(server.Address), TimeProvider.System);
        if (expected is null) Assert.Contains("too long", (await Assert.ThrowsAsync<ApiUnusableException>(() => system.ReadAsync(Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_breaks_off_does_not_take_the_status_back()
    {
        await using var server = new RawHttpServer("HTTP/1.1 409 Conflict\r\nContent-Length: 1000\r\n\r\n{\"errors\":[");
        using var client = Client(server);
        Assert.Equal(new ApiAnswer(ApiOutcome.Conflict, 409, null), await client.StopJobAsync(Job, Token));
    }

    [Fact]
    public async Task A_body_that_never_ends_does_not_take_the_status_back()
    {
        await using var server = new RawHttpServer("HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", staysOpen: true);
        using var connection = new ApiConnection(Settings(server.Address), TimeSpan.FromSeconds(1), TimeProvider.System);
        var response = await connection.SendAsync(HttpMethod.Put, "jobservice/jobs/x", null, Token).WaitAsync(TimeSpan.FromSeconds(10), Token);
        Assert.Equal((409, null), (response.Status, response.Body));
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n\r\n")]
    [InlineData("HTTP/1.1 abc\r\n\r\n")]
    [InlineData("")]
    public async Task What_is_no_HTTP_leaves_open_whether_it_acted(string answer)
    {
        await using var server = new RawHttpServer(answer);
        using var client = Client(server);
        Assert.Equal(new ApiAnswer(ApiOutcome.Undecided, null, "the connection broke before an answer"), await client.StopJobAsync(Job, Token));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_connection_that_ends_without_a_byte_is_not_tried_again_behind_the_back()
    {
        await using var server = new RawHttpServer("");
        using var client = Client(server);
        Assert.Equal(ApiOutcome.Undecided, (await client.ScanAsync("library/app", "sha256:" + new string('0', 64), null, Token)).Outcome);
        Assert.Equal(ApiOutcome.Undecided, (await client.DeleteRobotAsync(7, Token)).Outcome);
        Assert.Equal(["POST", "DELETE"], server.Requests.Select(request => request.Split(' ')[0]));
    }

    [Theory]
    [InlineData("202 Accepted")]
    [InlineData("204 No Content")]
    public async Task Another_success_than_Harbors_is_no_success(string status)
    {
        await using var server = new RawHttpServer($"HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
        using var client = Client(server);
        Assert.Equal(ApiOutcome.Failed, (await client.StopJobAsync(Job, Token)).Outcome);
    }

    [Fact]
    public async Task A_scan_that_is_answered_with_a_page_was_not_accepted()
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer("200 OK", "<html></html>"));
        using var client = Client(server);
        Assert.Equal(new ApiAnswer(ApiOutcome.Failed, 200, null), await client.ScanAsync("library/app", "sha256:" + new string('0', 64), "sbom", Token));
        Assert.EndsWith("""{"scan_type":"sbom"}""", Assert.Single(server.Requests), StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => client.ScanAsync("library/app", "sha256:" + new string('0', 64), "all", Token));
    }

    [Theory]
    [InlineData("301 Moved Permanently")]
    [InlineData("307 Temporary Redirect")]
    [InlineData("308 Permanent Redirect")]
    public async Task A_redirect_is_not_followed_with_the_password(string status)
    {
        await using var elsewhere = new RawHttpServer(RawHttpServer.Answer("200 OK", ""));
        await using var server = new RawHttpServer(RawHttpServer.Answer(status, "", $"Location: {elsewhere.Address}\r\n"));
        using var client = Client(server);
        Assert.Equal(ApiOutcome.Refused, (await client.StopJobAsync(Job, Token)).Outcome);
        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task A_server_that_repeats_the_request_gets_no_secret_out()
    {
        var body = $$"""{"errors":[{"code":"X","message":"you sent Basic {{Credentials}}, that is admin and {{Password}}"}]}""";
        await using var server = new RawHttpServer(RawHttpServer.Answer("400 Bad Request", body));
        using var client = Client(server);
        var answer = await client.StopJobAsync(Job, Token);
        Assert.Equal("you sent Basic ***, that is admin and ***", answer.Message);
        Assert.Contains($"Authorization: Basic {Credentials}\r\n", Assert.Single(server.Requests), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_answer_and_no_exception_tells_a_secret()
    {
        List<string> all = [];
        await using (var broken = new RawHttpServer("HTTP/1.1 abc\r\n\r\n"))
        {
            using var client = Client(broken);
            all.Add((await client.StopJobAsync(Job, Token)).ToString());
            using var system = new SystemInfoClient(Settings(broken.Address), TimeProvider.System);
            all.Add((await Assert.ThrowsAsync<ApiUnusableException>(() => system.ReadAsync(Token))).ToString());
        }
        var nobody = Settings(new Uri($"http://127.0.0.1:{Tool.FreePort()}"));
        using (var client = new HarborApiClient(nobody, TimeProvider.System)) all.Add((await client.DeleteRobotAsync(1, Token)).ToString());
        using (var system = new SystemInfoClient(nobody, TimeProvider.System)) all.Add((await Assert.ThrowsAsync<ApiUnusableException>(() => system.AskPoolsAsync(Token))).ToString());
        await using (var silent = new RawHttpServer(null))
        {
            var time = new FakeTimeProvider();
            using var client = Client(silent, time);
            using var giveUp = new CancellationTokenSource();
            var asking = client.StopJobAsync(Job, giveUp.Token);
            await Eventually.HoldsAsync(() => Task.FromResult(silent.Requests.Count == 1), TimeSpan.FromSeconds(10), () => "no request came");
            await giveUp.CancelAsync();
            all.Add((await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking)).ToString());
        }
        Assert.Equal(5, all.Count);
        Assert.All(all, text =>
        {
            Assert.DoesNotContain(Password, text, StringComparison.Ordinal);
            Assert.DoesNotContain(Credentials, text, StringComparison.Ordinal);
        });
    }

    private static HarborScanExporter.Settings.ApiSettings Settings(Uri address) => ServedHarbor.SettingsFor(address, new HarborApiUser("admin", Password, true));

    private static HarborApiClient Client(RawHttpServer server, TimeProvider? time = null) => new(Settings(server.Address), time ?? TimeProvider.System);
}

using HarborScanExporter.HarborApi;
using HarborScanExporter.Tests.Support;
using HarborSimulator.Api;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.HarborApi;

/// <summary>What is asked a second time, what never is, and how fast requests follow one another.</summary>
public sealed class ApiRepetitionTests
{
    private const string UnknownJob = "0123456789abcdef01234567";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_stop_that_a_proxy_answered_is_asked_once_more(int status)
    {
        await using var served = await ServedHarbor.StartAsync();
        served.Api.FailNext(1, status);
        Assert.Equal(new ApiAnswer(ApiOutcome.Done, 200, null), await served.Client().StopJobAsync(UnknownJob, Token));
        Assert.Equal(2, served.Api.Requests.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_robot_whose_deletion_a_proxy_answered_is_gone_whether_or_not_Harbor_acted(bool afterActing)
    {
        await using var served = await ServedHarbor.StartAsync();
        await served.Simulated.ScanAsync();
        var robot = long.Parse(await served.Simulated.OneAsync("select id from robot"), System.Globalization.CultureInfo.InvariantCulture);
        served.Api.FailNext(1, 504, afterActing);
        Assert.Equal(afterActing ? ApiOutcome.Gone : ApiOutcome.Done, (await served.Client().DeleteRobotAsync(robot, Token)).Outcome);
        Assert.Equal("0", await served.Simulated.OneAsync("select count(*) from robot"));
        Assert.Equal(2, served.Api.Requests.Count);
    }

    [Fact]
    public async Task Twice_is_the_most()
    {
        await using var served = await ServedHarbor.StartAsync();
        served.Api.FailNext(5, 503);
        Assert.Equal(new ApiAnswer(ApiOutcome.Failed, 503, "503"), await served.Client().StopJobAsync(UnknownJob, Token));
        Assert.Equal(2, served.Api.Requests.Count);
    }

    [Fact]
    public async Task A_refusal_of_the_second_request_does_not_hide_that_the_first_may_have_acted()
    {
        await using var served = await ServedHarbor.StartAsync();
        served.Api.FailNext(1, 504, afterActing: true);
        served.Api.FailNext(1, 403);
        Assert.Equal(new ApiAnswer(ApiOutcome.Failed, 504, "504"), await served.Client().StopJobAsync(UnknownJob, Token));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(400)]
    [InlineData(429)]
    public async Task Another_status_is_not_asked_again(int status)
    {
        await using var served = await ServedHarbor.StartAsync();
        served.Api.FailNext(1, status);
        Assert.Equal(status, (await served.Client().StopJobAsync(UnknownJob, Token)).Status);
        Assert.Single(served.Api.Requests);
    }

    [Theory]
    [InlineData("vulnerability")]
    [InlineData(null)]
    public async Task A_scan_is_never_asked_twice(string? type)
    {
        await using var served = await ServedHarbor.StartAsync();
        var artifact = await served.Harbor.PushAsync(cancellationToken: Token);
        var client = served.Client();
        foreach (var status in new[] { 502, 503, 504 })
        {
            served.Api.FailNext(1, status);
            Assert.Equal(new ApiAnswer(ApiOutcome.Failed, status, $"{status}"), await client.ScanAsync(artifact.Repository, artifact.Digest, type, Token));
        }
        served.Api.DropNext(1, afterActing: false);
        Assert.Equal(ApiOutcome.Undecided, (await client.ScanAsync(artifact.Repository, artifact.Digest, type, Token)).Outcome);
        Assert.Equal("0", await served.Simulated.OneAsync("select count(*) from execution"));
        served.Api.DropNext(1, afterActing: true);
        Assert.Equal(ApiOutcome.Undecided, (await client.ScanAsync(artifact.Repository, artifact.Digest, type, Token)).Outcome);
        Assert.Equal("1", await served.Simulated.OneAsync("select count(*) from execution"));
        Assert.Equal(5, served.Api.Requests.Count);
    }

    [Fact]
    public async Task A_connection_that_broke_leaves_open_whether_Harbor_acted_and_nothing_asks_again()
    {
        await using var served = await ServedHarbor.StartAsync();
        var (task, _) = await served.Simulated.RunningScanAsync();
        var job = await served.JobOfAsync(task);
        served.Api.DropNext(1, afterActing: false);
        var before = await served.Client().StopJobAsync(job, Token);
        Assert.Equal("Running|2", await served.Simulated.StatusAsync(task));
        served.Api.DropNext(1, afterActing: true);
        var after = await served.Client().StopJobAsync(job, Token);
        Assert.Equal("Stopped|3", await served.Simulated.StatusAsync(task));
        Assert.Equal(new ApiAnswer(ApiOutcome.Undecided, null, "the connection broke before an answer"), before);
        Assert.Equal(before, after);
        Assert.True(after.MayHaveActed);
        Assert.Equal(2, served.Api.Requests.Count);
        var robot = long.Parse(await served.Simulated.OneAsync("select coalesce(max(id), 1) from robot"), System.Globalization.CultureInfo.InvariantCulture);
        served.Api.DropNext(1, afterActing: false);
        Assert.Equal(ApiOutcome.Undecided, (await served.Client().DeleteRobotAsync(robot, Token)).Outcome);
        Assert.Equal(3, served.Api.Requests.Count);
    }

    [Fact]
    public async Task An_address_where_nobody_listens_is_tried_twice_and_nothing_was_done()
    {
        using var client = new HarborApiClient(ServedHarbor.SettingsFor(new Uri($"http://127.0.0.1:{Tool.FreePort()}"), HarborApiUser.Administrator), TimeProvider.System);
        var began = TimeProvider.System.GetTimestamp();
        var stop = await client.StopJobAsync(UnknownJob, Token);
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), HarborApiClient.RepeatAfter - TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(10));
        Assert.Equal((ApiOutcome.Unreachable, (int?)null, false), (stop.Outcome, stop.Status, stop.MayHaveActed));
        Assert.Equal("Connection refused", stop.Message);
        var scan = await client.ScanAsync("library/app", "sha256:" + new string('0', 64), null, Token);
        Assert.Equal(ApiOutcome.Unreachable, scan.Outcome);
    }

    [Fact]
    public async Task Whoever_listens_a_moment_later_gets_the_second_request()
    {
        await using var simulated = await Simulator.Simulated.StartAsync();
        var address = new Uri($"http://127.0.0.1:{Tool.FreePort()}");
        using var client = new HarborApiClient(ServedHarbor.SettingsFor(address, HarborApiUser.Administrator), TimeProvider.System);
        var asking = client.StopJobAsync(UnknownJob, Token);
        await Task.Delay(300, Token);
        await using var api = await HarborApiServer.StartAsync(simulated.Harbor, new HarborApiSettings { Listen = address }, Token);
        Assert.Equal(ApiOutcome.Done, (await asking).Outcome);
        Assert.Single(api.Requests);
    }

    [Fact]
    public async Task Turns_come_a_tenth_of_a_second_apart_in_the_order_of_asking()
    {
        var time = new FakeTimeProvider();
        var pace = new RequestPace(HarborApiClient.Interval, time);
        var turns = Enumerable.Range(0, 12).Select(_ => pace.WaitAsync(Token)).ToArray();
        Assert.Equal(1, turns.Count(turn => turn.IsCompleted));
        for (var passed = 1; passed < turns.Length; passed++)
        {
            time.Advance(TimeSpan.FromMilliseconds(99));
            Assert.False(turns[passed].IsCompleted);
            time.Advance(TimeSpan.FromMilliseconds(1));
            await turns[passed].WaitAsync(TimeSpan.FromSeconds(5), Token);
            Assert.True(turns.Take(passed + 1).All(turn => turn.IsCompletedSuccessfully));
            Assert.True(turns.Skip(passed + 1).All(turn => !turn.IsCompleted));
        }
        time.Advance(TimeSpan.FromHours(1));
        Assert.True(pace.WaitAsync(Token).IsCompleted);
        Assert.False(pace.WaitAsync(Token).IsCompleted);
    }

    [Fact]
    public async Task Ten_requests_at_once_take_nine_tenths_of_a_second()
    {
        await using var served = await ServedHarbor.StartAsync();
        var client = served.Client();
        var began = TimeProvider.System.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => client.StopJobAsync(UnknownJob, Token)));
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.FromMilliseconds(880), TimeSpan.FromSeconds(20));
        Assert.All(answers, answer => Assert.Equal(ApiOutcome.Done, answer.Outcome));
    }

    [Fact]
    public async Task A_wait_that_is_given_up_sends_nothing()
    {
        await using var server = new RawHttpServer(RawHttpServer.Answer("200 OK", ""));
        using var client = new HarborApiClient(ServedHarbor.SettingsFor(server.Address, HarborApiUser.Administrator), new FakeTimeProvider());
        Assert.Equal(ApiOutcome.Done, (await client.StopJobAsync(UnknownJob, Token)).Outcome);
        using var giveUp = new CancellationTokenSource();
        var waiting = client.StopJobAsync(UnknownJob, giveUp.Token);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Single(server.Requests);
    }
}

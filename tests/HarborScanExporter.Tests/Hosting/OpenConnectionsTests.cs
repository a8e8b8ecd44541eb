using System.Net;
using HarborScanExporter.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Hosting;

public sealed class OpenConnectionsTests
{
    private const int Most = 40;

    private readonly FakeTimeProvider _time = new();
    private readonly FakeLogger _log = new();
    private readonly OpenConnections _all;

    public OpenConnectionsTests() => _all = new OpenConnections(Most, "http://*:1", _time, _log);

    [Fact]
    public void Nobody_gives_way_while_there_are_places()
    {
        var open = Enumerable.Range(0, Most).Select(_ => Open("192.0.2.1")).ToArray();
        Assert.DoesNotContain(open, one => one.IsAborted);
        Assert.Equal(Most, _all.Count);
        Assert.Equal(0, _log.Collector.Count);
    }

    [Fact]
    public void The_connection_that_waits_longest_for_its_request_gives_way_to_a_new_one()
    {
        var open = Enumerable.Range(0, Most + 3).Select(_ => Open("192.0.2.1")).ToArray();
        Assert.Equal([0, 1, 2], Aborted(open));
        Assert.Equal("All 40 connections of http://*:1 are taken: those that wait longest for their clients are closed to let others in. Look for who opens so many.", Assert.Single(_log.Collector.GetSnapshot()).Message);
    }

    [Fact]
    public void A_lack_of_places_that_goes_on_is_told_every_ten_minutes()
    {
        // The first that is too many comes at the second 41.
        for (var second = 0; second < Most + 1 + 1200; second++) Open("192.0.2.1");
        Assert.Equal(3, _log.Collector.Count);
    }

    [Fact]
    public void The_address_that_holds_most_gives_way_and_a_few_of_another_stay_though_they_are_older()
    {
        var scraper = Open("192.0.2.1");
        var proxied = Enumerable.Range(0, 10).Select(_ => Open("192.0.2.2")).ToArray();
        var attack = Enumerable.Range(0, 100).Select(_ => Open("203.0.113.9")).ToArray();
        Assert.DoesNotContain(proxied.Append(scraper), one => one.IsAborted);
        Assert.Equal(100 + 11 - Most, Aborted(attack).Length);
    }

    [Fact]
    public async Task One_address_in_disguise_is_one_address()
    {
        var scraper = Open("2001:db8:1::1");
        await ScrapeAsync(scraper);
        var attack = Enumerable.Range(0, 60).Select(number => Open($"2001:db8:2:0:{number:x}::1")).ToArray();
        var mapped = Enumerable.Range(0, 5).Select(number => Open(number % 2 == 0 ? "::ffff:192.0.2.7" : "192.0.2.7")).ToArray();
        Assert.False(scraper.IsAborted);
        Assert.DoesNotContain(mapped, one => one.IsAborted);
        Assert.Equal(60 + 6 - Most, Aborted(attack).Length);
    }

    [Fact]
    public async Task Behind_one_address_who_is_being_answered_stays_where_others_only_hold_connections()
    {
        var scraper = Open("192.0.2.1");
        await ScrapeAsync(scraper);
        var attack = Enumerable.Range(0, 200).Select(_ => Open("192.0.2.1")).ToArray();
        Assert.False(scraper.IsAborted);
        await AnswerAsync(scraper);
        var later = Enumerable.Range(0, 200).Select(_ => Open("192.0.2.1")).ToArray();
        // It reads its answer, and nobody else does.
        Assert.False(scraper.IsAborted);
        Assert.Equal((attack.Length, later.Length - (Most - 1)), (Aborted(attack).Length, Aborted(later).Length));
    }

    [Fact]
    public async Task Behind_one_address_a_new_one_is_heard_where_all_others_wait_for_their_answers()
    {
        var attack = Enumerable.Range(0, Most).Select(_ => Open("192.0.2.1")).ToArray();
        foreach (var one in attack) await ScrapeAsync(one);
        var probe = Open("192.0.2.1");
        var another = Open("192.0.2.1");
        Assert.False(probe.IsAborted || another.IsAborted);
        Assert.Equal([0, 1], Aborted(attack));
    }

    [Fact]
    public void Who_was_told_to_go_keeps_no_more_from_going_and_there_are_never_twice_as_many()
    {
        var open = Enumerable.Range(0, 3 * Most).Select(_ => Open("192.0.2.1", leaves: false)).ToArray();
        // Those that came when twice as many were there were turned away.
        Assert.Equal(2 * Most, _all.Count);
        Assert.Equal(Enumerable.Range(0, Most).Concat(Enumerable.Range(2 * Most, Most)), Aborted(open));
    }

    [Fact]
    public async Task A_connection_holds_its_place_until_its_last_byte_is_sent()
    {
        var connection = Open("192.0.2.1", leaves: false);
        connection.Served.SetResult();
        Assert.Equal(1, _all.Count);
        connection.Sent.SetResult();
        await connection.Serving;
        Assert.Equal(0, _all.Count);
    }

    [Theory]
    [InlineData(64, 6, 2)]
    [InlineData(256, 78, 26)]
    [InlineData(1024, 366, 122)]
    [InlineData(1_048_576, 1024, 256)]
    [InlineData(long.MaxValue, 1024, 256)]
    [InlineData(10, 6, 2)]
    public void There_are_as_many_places_as_files_allow(long files, int metrics, int operations) =>
        Assert.Equal((metrics, operations), ServerLimits.Connections(files, ownFiles: 48));

    [Fact]
    public void The_system_says_how_many_files_may_be_open() => Assert.InRange(ServerLimits.MostFiles(), 64, long.MaxValue);

    private static int[] Aborted(TestConnection[] connections) => [.. connections.Select((one, number) => (one, number)).Where(pair => pair.one.IsAborted).Select(pair => pair.number)];

    /// <summary>A second passes, and somebody connects.</summary>
    private TestConnection Open(string address, bool leaves = true)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        var connection = new TestConnection(address, leaves);
        connection.Serving = _all.ServeAsync(connection, _ => connection.Served.Task);
        return connection;
    }

    /// <summary>Its request has come whole.</summary>
    private async Task ScrapeAsync(TestConnection connection)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        connection.Response = new TestResponse();
        var context = new DefaultHttpContext(new FeatureCollection(connection.Features));
        context.Features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        context.Features.Set<IHttpResponseFeature>(connection.Response);
        await OpenConnection.FollowAsync(context, _ => Task.CompletedTask);
    }

    /// <summary>Its answer begins.</summary>
    private Task AnswerAsync(TestConnection connection)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return connection.Response!.StartAsync();
    }

    private sealed class TestResponse : HttpResponseFeature
    {
        private readonly List<(Func<object, Task> Callback, object State)> _starting = [];

        public override void OnStarting(Func<object, Task> callback, object state) => _starting.Add((callback, state));

        public override void OnCompleted(Func<object, Task> callback, object state) { }

        public async Task StartAsync()
        {
            foreach (var (callback, state) in _starting) await callback(state);
        }
    }

    private sealed class TestConnection(string address, bool leaves) : DefaultConnectionContext
    {
        public TaskCompletionSource Served { get; } = new();

        public TaskCompletionSource Sent { get; } = new();

        public Task Serving { get; set; } = Task.CompletedTask;

        public TestResponse? Response { get; set; }

        public bool IsAborted { get; private set; }

        public override EndPoint? RemoteEndPoint { get; set; } = new IPEndPoint(IPAddress.Parse(address), 40_000);

        public override void Abort(ConnectionAbortedException abortReason)
        {
            IsAborted = true;
            if (!leaves) return;
            Sent.TrySetResult();
            Served.TrySetResult();
        }

        public override async ValueTask DisposeAsync()
        {
            await Sent.Task;
            await base.DisposeAsync();
        }
    }
}

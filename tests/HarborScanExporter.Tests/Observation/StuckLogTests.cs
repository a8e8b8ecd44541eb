using HarborScanExporter.Diagnosis;
using HarborScanExporter.Metrics;
using HarborScanExporter.Observation;
using HarborScanExporter.Tests.JobService;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Observation;

/// <summary>The log says when a task becomes stuck and when it no longer is, each once.</summary>
public sealed class StuckLogTests
{
    private readonly FakeLogger<StuckLog> _logger = new();
    private readonly StuckLog _log;

    public StuckLogTests() => _log = new StuckLog(_logger);

    [Fact]
    public void A_task_that_becomes_stuck_is_told_once_and_once_when_it_is_over()
    {
        Assert.Equal([$"20 Task 1 (IMAGE_SCAN, Pending) is stuck: lost, 10800 s old. Execution 164617, job {Job}."], Tell(One(Judgement.Lost)));
        Assert.Empty(Tell(One(Judgement.Lost)));
        Assert.Equal([$"22 Task 1 (IMAGE_SCAN) is no longer stuck: it was lost and is over. Execution 164617, job {Job}."], Tell());
        Assert.Empty(Tell());
    }

    [Fact]
    public void What_a_task_has_become_is_told()
    {
        Tell(One(Judgement.NotQueued));
        Assert.Equal([$"22 Task 1 (IMAGE_SCAN) is no longer stuck: it was not_queued and is queued. Execution 164617, job {Job}."], Tell(One(Judgement.Queued)));
    }

    [Fact]
    public void Another_verdict_is_told_as_a_beginning()
    {
        Tell(One(Judgement.NotQueued));
        Assert.Equal([$"20 Task 1 (IMAGE_SCAN, Pending) is stuck: lost, 10800 s old. Execution 164617, job {Job}."], Tell(One(Judgement.Lost)));
    }

    [Fact]
    public void What_cannot_be_judged_at_the_moment_is_neither()
    {
        Tell(One(Judgement.Lost));
        Assert.Empty(Tell(One(Judgement.Unjudged)));
        // After Redis is back the first look knows nothing of the one before it was away.
        Assert.Empty(Tell(One(Judgement.Settling)));
        Assert.Empty(Tell(One(Judgement.Lost)));
        Assert.Empty(Tell(One(Judgement.Settling)));
        Assert.Single(Tell());
    }

    [Fact]
    public void A_task_that_was_never_stuck_is_not_told() => Assert.Empty(Tell(One(Judgement.Unjudged), One(Judgement.Settling, 2), One(Judgement.Running, 3)));

    [Fact]
    public void Fifty_of_a_kind_are_told_one_by_one_and_the_rest_in_one_event()
    {
        JudgedTask[] Many(int count) => [.. Enumerable.Range(1, count).Select(id => One(Judgement.Lost, id))];
        Assert.Equal(50, Tell(Many(50)).Count);
        var more = Tell(Many(36_000));
        Assert.Equal(51, more.Count);
        Assert.Equal("21 35900 more tasks are stuck.", more[^1]);
        var ended = Tell();
        Assert.Equal(51, ended.Count);
        Assert.Equal("23 35950 more tasks are no longer stuck.", ended[^1]);
    }

    [Fact]
    public void Every_event_is_information()
    {
        Tell(One(Judgement.Lost));
        Tell();
        Assert.All(_logger.Collector.GetSnapshot(), record => Assert.Equal(LogLevel.Information, record.Level));
    }

    [Fact]
    public async Task While_Redis_is_away_nothing_is_told_to_have_ended()
    {
        await using var situation = await Situation.CreateAsync();
        await situation.Jobs.UpAsync();
        var task = await situation.Seed.TaskAsync(await situation.Seed.ExecutionAsync(), created: TimeSpan.FromHours(9));
        await situation.FirstLookAsync();
        Assert.Empty(Told(situation));
        await situation.FirstLookAsync();
        Assert.Equal([20], Told(situation));
        await situation.Redis.KillAsync();
        Assert.Equal(["IMAGE_SCAN unjudged 1"], (await situation.FirstLookAsync()).Live);
        await situation.Redis.RestartAsync();
        await situation.Jobs.UpAsync();
        // What was seen before Redis was away counts for nothing.
        Assert.Equal(["IMAGE_SCAN settling 1"], (await situation.FirstLookAsync()).Live);
        Assert.Equal(["IMAGE_SCAN lost 1"], (await situation.FirstLookAsync()).Stuck);
        Assert.Equal([20], Told(situation));
        await situation.Seed.ExecuteAsync($"update task set status = 'Stopped', status_code = 3 where id = {task}");
        await situation.FirstLookAsync();
        Assert.Equal([20, 22], Told(situation));
    }

    private static int[] Told(Situation situation) => [.. situation.Exporter.Logs.GetSnapshot().Select(record => record.Id.Id).Where(id => id is >= 20 and < 30)];

    private static JudgedTask One(Judgement judgement, long id = 1) => Judged(judgement, Waiting(3 * Hour) with { Id = id });

    /// <summary>What this collection adds to the log.</summary>
    private List<string> Tell(params JudgedTask[] tasks)
    {
        var before = _logger.Collector.Count;
        _log.Tell(Diagnosed(tasks));
        return [.. _logger.Collector.GetSnapshot().Skip(before).Select(record => $"{record.Id.Id} {record.Message}")];
    }
}

using HarborScanExporter.JobService;

namespace HarborScanExporter.Tests.JobService;

/// <summary>The walk over tracked jobs: every one is looked at in each round, and the number is that of a whole round.</summary>
public sealed class TrackedWindowTests
{
    private readonly TrackedWindow _window = new();

    [Fact]
    public void A_round_looks_at_every_job_once()
    {
        List<string> looked = [];
        for (var i = 0; i < 6; i++) looked.AddRange(Collect(Ids(0, 3_000)));
        Assert.Equal(Ids(0, 3_000), looked);
        Assert.Equal(Ids(0, 500), Collect(Ids(0, 3_000)));
    }

    [Fact]
    public void What_a_collection_took_and_did_not_come_to_look_at_is_looked_at_by_the_next()
    {
        while (_window.WantsPage) _window.Add("0", Ids(0, 700));
        Assert.Equal(Ids(0, 500), _window.Take());
        // Redis failed here.
        Assert.Equal(Ids(0, 500), _window.Take());
        Assert.Equal(500, _window.Keep(Ids(0, 500), Ids(0, 500).Select(id => (id, id))).Count);
        Assert.Equal(Ids(500, 200), _window.Take());
        Assert.Equal(700, _window.Keep(Ids(500, 200), Ids(500, 200).Select(id => (id, id))).Count);
    }

    [Fact]
    public void What_is_taken_meanwhile_is_forgotten_when_it_is_looked_at()
    {
        Collect(Ids(0, 10));
        Assert.Equal(10, Found);
        Collect(Ids(0, 10), taken: Ids(0, 4));
        Assert.Equal(6, Found);
    }

    [Fact]
    public void What_is_no_longer_tracked_is_forgotten_at_the_end_of_the_round()
    {
        Collect(Ids(0, 10));
        Collect(Ids(5, 5));
        Assert.Equal(5, Found);
    }

    [Fact]
    public void Two_runs_of_one_schedule_are_one()
    {
        _window.Add("0", ["run@1", "run@2"]);
        Assert.Equal(["run"], _window.Keep(_window.Take(), [("run@1", "run"), ("run@2", "run")]));
    }

    [Fact]
    public void No_more_than_10000_are_remembered()
    {
        for (var i = 0; i < 30; i++) Collect(Ids(0, 15_000));
        Assert.Equal(10_000, Found);
    }

    private int Found { get; set; }

    /// <summary>One collection over a walk whose pages hold a thousand ids; all that it looks at are orphans but the taken ones.</summary>
    private IReadOnlyList<string> Collect(string[] tracked, string[]? taken = null)
    {
        while (_window.WantsPage)
        {
            var from = int.Parse(_window.Cursor, System.Globalization.CultureInfo.InvariantCulture);
            _window.Add(from + 1000 < tracked.Length ? $"{from + 1000}" : "0", tracked.Skip(from).Take(1000));
        }
        var looked = _window.Take();
        Found = _window.Keep(looked, looked.Except(taken ?? []).Select(id => (id, id))).Count;
        return looked;
    }

    private static string[] Ids(int from, int count) => [.. Enumerable.Range(from, count).Select(i => $"{i}")];
}

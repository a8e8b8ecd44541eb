using HarborScanExporter.Observation;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Observation;

/// <summary>What a part of an observation is when it was read, when it failed, and when what it rests on failed; and whose time a read is.</summary>
public sealed class PartTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task What_several_parts_rest_on_counts_once()
    {
        var tasks = await TakeAsync(5);
        var executions = await TakeAsync(2);
        var open = await TakeAsync(1, tasks);
        var diagnosis = await TakeAsync(3, tasks, executions, open);
        Assert.Equal(TimeSpan.FromSeconds(6), Part.TimeOf([tasks, open]));
        Assert.Equal(TimeSpan.FromSeconds(11), Part.TimeOf([diagnosis]));
        Assert.Equal(TimeSpan.FromSeconds(11), Part.TimeOf([diagnosis, executions]));
        Assert.Equal(TimeSpan.Zero, Part.TimeOf([]));
    }

    [Fact]
    public async Task A_read_that_fails_has_taken_its_time_and_says_why()
    {
        var failure = new InvalidOperationException("away");
        var part = await Part<int>.ReadAsync(_time, () =>
        {
            _time.Advance(TimeSpan.FromSeconds(4));
            throw failure;
        });
        Assert.Same(failure, part.Failure);
        Assert.Equal(TimeSpan.FromSeconds(4), Part.TimeOf([part]));
        Assert.Same(failure, Assert.Throws<InvalidOperationException>(() => part.Value).InnerException);
    }

    [Fact]
    public async Task What_rests_on_a_failed_part_is_not_read_and_fails_as_it_did()
    {
        var failure = new TimeoutException();
        var below = Part<int>.FailedBy(failure, TimeSpan.FromSeconds(2));
        var reads = 0;
        var part = await Part<int>.ReadAsync(_time, () => Task.FromResult(++reads), await TakeAsync(1), below);
        Assert.Equal(0, reads);
        Assert.Same(failure, part.Failure);
        Assert.Equal(TimeSpan.FromSeconds(3), Part.TimeOf([part]));
    }

    private Task<Part<int>> TakeAsync(int seconds, params IReadOnlyList<Part> restsOn) => Part<int>.ReadAsync(_time, () =>
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        return Task.FromResult(seconds);
    }, restsOn);
}

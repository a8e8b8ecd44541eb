using HarborScanExporter.Database.Session;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Database;

/// <summary>Whose time a read is.</summary>
public sealed class ReadTimesTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task A_read_made_before_counts_for_each_that_needs_it_and_for_no_other()
    {
        var times = new ReadTimes(_time);
        await times.MeasureAsync("tasks", () => TakeAsync(5));
        await times.MeasureAsync("executions", () => TakeAsync(2));
        Assert.Equal(6, await times.AskAsync("first", async () =>
        {
            times.Need("tasks");
            await TakeAsync(1);
        }));
        Assert.Equal(7, await times.AskAsync("second", () =>
        {
            times.Need("tasks", "executions");
            return Task.CompletedTask;
        }));
        Assert.Equal(0, await times.AskAsync("third", () => Task.CompletedTask));
    }

    [Fact]
    public async Task A_read_within_another_counts_for_itself_alone()
    {
        var times = new ReadTimes(_time);
        Task<int> ReadAsync() => times.MeasureAsync("outer", async () =>
        {
            times.Need("inner");
            await times.MeasureAsync("inner", () => TakeAsync(10));
            return await TakeAsync(1);
        });
        Assert.Equal(4, await times.AskAsync("first", async () =>
        {
            times.Need("outer");
            await ReadAsync();
            await TakeAsync(3);
        }));
        Assert.Equal(11, await times.AskAsync("second", () =>
        {
            times.Need("outer", "inner");
            return Task.CompletedTask;
        }));
    }

    [Fact]
    public async Task A_read_that_fails_has_taken_its_time_too()
    {
        var times = new ReadTimes(_time);
        await Assert.ThrowsAsync<InvalidOperationException>(() => times.MeasureAsync<int>("tasks", async () =>
        {
            await TakeAsync(4);
            throw new InvalidOperationException();
        }));
        await TakeAsync(100);
        Assert.Equal(4, await times.AskAsync("first", () =>
        {
            times.Need("tasks");
            return Task.CompletedTask;
        }));
    }

    private Task<int> TakeAsync(int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        return Task.FromResult(seconds);
    }
}

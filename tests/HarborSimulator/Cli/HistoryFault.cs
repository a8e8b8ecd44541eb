using HarborSimulator.Schema;

namespace HarborSimulator.Cli;

/// <summary>A trace that the history leaves, and how long before its end it is made.</summary>
internal sealed record HistoryFault(string Name, TimeSpan Before, string Leaves, Func<HarborSimulation, CancellationToken, Task> MakeAsync)
{
    /// <summary>Every fault, the oldest first.</summary>
    public static IReadOnlyList<HistoryFault> All { get; } =
    [
        new("final-execution", TimeSpan.FromHours(8 * 24), "a final execution over a Pending task", FinalExecutionAsync),
        new("overdue", TimeSpan.FromHours(28), "a scan Running for over 26 hours", OverdueAsync),
        new("queue-stop", TimeSpan.FromHours(27), "final words with code 0, a sweep that fails up to 2.11.0, robots leaked for over a day", QueueStopAsync),
        new("empty-scan-all", TimeSpan.FromHours(8), "a scheduled scan-all Running without tasks", EmptyScanAllAsync),
        new("lost", TimeSpan.FromHours(5), "Pending tasks that no job service knows", LostAsync),
        new("unreported", TimeSpan.FromHours(4), "Running tasks whose reports are stored", UnreportedAsync),
        new("not-queued", TimeSpan.FromHours(3.5), "a Pending task whose job is recorded and stands in no queue", NotQueuedAsync),
        // Before the scan-all, behind which it would wait for a worker.
        new("hung", TimeSpan.FromHours(3.25), "a scan that a live worker holds and that never ends", HungAsync),
        new("scan-all", TimeSpan.FromHours(3), "a manual scan-all Running though all its tasks are final", ScanAllAsync),
    ];

    private static async Task FinalExecutionAsync(HarborSimulation harbor, CancellationToken cancellationToken)
    {
        var scan = await harbor.PushAndScanAsync("library", "forgotten", "1.0", cancellationToken: cancellationToken);
        await harbor.LoseRedisAsync(cancellationToken);
        // From 2.8 on the dangling fixer does it after a week; before, only a person could.
        if (!harbor.Release.SweepsByJob && scan.ExecutionId is { } execution) await harbor.SetExecutionStatusAsync(execution, "Success", cancellationToken);
    }

    private static async Task OverdueAsync(HarborSimulation harbor, CancellationToken cancellationToken) =>
        await harbor.LoseJobAsync((await RunningAsync(harbor, "overdue", 1, cancellationToken))[0], cancellationToken);

    private static async Task QueueStopAsync(HarborSimulation harbor, CancellationToken cancellationToken)
    {
        var canStop = harbor.Release.CanStopQueues;
        if (canStop) await harbor.PauseQueueAsync(cancellationToken: cancellationToken);
        List<HarborArtifact> artifacts = [];
        for (var i = 0; i < 5; i++)
        {
            artifacts.Add(await harbor.PushAsync("payments", "stopped", FormattableString.Invariant($"2.{i}"), cancellationToken: cancellationToken));
            await harbor.ScanAsync(artifacts[i], cancellationToken);
        }
        if (canStop)
        {
            await harbor.StopQueueAsync(cancellationToken: cancellationToken);
            await harbor.ResumeQueueAsync(cancellationToken: cancellationToken);
        }
        else
        {
            await harbor.LoseRedisAsync(cancellationToken);
            await harbor.RunManualFixAsync(cancellationToken);
        }
        // The new scans put the stopped executions beyond the retention.
        await harbor.AdvanceAsync(TimeSpan.FromMinutes(2), cancellationToken);
        foreach (var artifact in artifacts) await harbor.ScanAsync(artifact, cancellationToken);
    }

    private static async Task EmptyScanAllAsync(HarborSimulation harbor, CancellationToken cancellationToken)
    {
        await harbor.ScanAllAsync(manual: false, cancellationToken);
        harbor.RestartCore();
    }

    private static async Task LostAsync(HarborSimulation harbor, CancellationToken cancellationToken)
    {
        for (var i = 0; i < 4; i++)
            await harbor.PushAndScanAsync("web", "lost", FormattableString.Invariant($"3.{i}"), cancellationToken: cancellationToken);
        await harbor.LoseRedisAsync(cancellationToken);
    }

    private static async Task UnreportedAsync(HarborSimulation harbor, CancellationToken cancellationToken)
    {
        foreach (var task in await RunningAsync(harbor, "unreported", 3, cancellationToken))
            await harbor.FinishWithoutTellingAsync(task, cancellationToken: cancellationToken);
    }

    private static async Task NotQueuedAsync(HarborSimulation harbor, CancellationToken cancellationToken)
    {
        harbor.PickNextBeforeSaved(1);
        await harbor.PushAndScanAsync("web", "dropped", "3.9", cancellationToken: cancellationToken);
    }

    private static async Task ScanAllAsync(HarborSimulation harbor, CancellationToken cancellationToken)
    {
        var response = await harbor.ScanAllAsync(manual: true, cancellationToken);
        harbor.LoseRefresh(response.ExecutionId ?? throw new InvalidOperationException(response.Refusal));
    }

    private static async Task HungAsync(HarborSimulation harbor, CancellationToken cancellationToken) =>
        harbor.Hang((await RunningAsync(harbor, "hung", 1, cancellationToken))[0]);

    /// <summary>Scans that a worker has just taken.</summary>
    private static async Task<List<long>> RunningAsync(HarborSimulation harbor, string repository, int count, CancellationToken cancellationToken)
    {
        List<long> tasks = [];
        for (var i = 0; i < count; i++)
            tasks.AddRange((await harbor.PushAndScanAsync("data", repository, FormattableString.Invariant($"4.{i}"), cancellationToken: cancellationToken)).TaskIds);
        for (var second = 0; second < 7200 && !tasks.TrueForAll(harbor.IsRunning); second++)
        {
            await harbor.AdvanceAsync(TimeSpan.FromSeconds(1), cancellationToken);
            foreach (var task in tasks.Where(harbor.IsRunning)) harbor.Hang(task);
        }
        return tasks;
    }
}

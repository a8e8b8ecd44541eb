using HarborScanExporter.Diagnosis;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Triggers;

/// <summary>
/// Serves the wakes of alerts, one after the other. One delivery may be the only one for hours (conventions 4): what could not be done for a
/// passing reason is tried again, where nothing was found a second look follows, and while the share rule holds repairs back the proof that a scan
/// began or succeeded is looked for.
/// </summary>
internal sealed class RepairLoop(Wakes wakes, RepairRun run, TimeProvider time)
{
    /// <summary>Between a look that found nothing to repair and the second: what was seen once only is proven then.</summary>
    public static readonly TimeSpan SecondLook = TimeSpan.FromSeconds(EvidenceJudge.TwoSightings + 1);

    /// <summary>Until a run is tried again that found another one under way, or the database away.</summary>
    public static readonly TimeSpan Again = TimeSpan.FromSeconds(30);

    /// <summary>Between two looks while the share rule holds repairs back: a cure takes some 20 s for 220 scans, and is to be done within a minute of the proof.</summary>
    public static readonly TimeSpan ProofLook = TimeSpan.FromSeconds(15);

    /// <summary>So long after the newest wake proof is looked for: Alertmanager's default sends the same alerts again after it.</summary>
    public static readonly TimeSpan ProofWait = TimeSpan.FromHours(4);

    /// <summary>Runs for one wake that find the way barred; a later delivery wakes anew.</summary>
    private const int MostTries = 6;

    /// <summary>Between two wakes, whatever comes in: a look costs the database a collection.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>As much of the names as the audit holds of one run.</summary>
    private const int MostCharacters = 500;

    /// <summary>Waits for a wake and serves it. What was committed stays when it is broken off, and what was intended is ended at the next start.</summary>
    public async Task RoundAsync(CancellationToken stoppingToken)
    {
        await ServeAsync(new SortedSet<string>(await wakes.NextAsync(stoppingToken), StringComparer.Ordinal), stoppingToken);
        await Task.Delay(Pause, time, stoppingToken);
    }

    /// <summary>No wake is taken any more.</summary>
    public void Close() => wakes.Close();

    private async Task ServeAsync(SortedSet<string> alerts, CancellationToken stoppingToken)
    {
        var tries = 1;
        var isSecond = false;
        long? held = null;
        while (true)
        {
            var result = await RunAsync(alerts, stoppingToken);
            TimeSpan pause;
            if (held is { } since && time.GetElapsedTime(since) >= ProofWait) return;
            if (result.End is RunEnd.Busy or RunEnd.Failed)
            {
                if (held is null && tries++ == MostTries) return;
                pause = Again;
            }
            else if (WaitsForProof(result.Plan, held is not null))
            {
                held ??= time.GetTimestamp();
                pause = ProofLook;
            }
            else
            {
                if (isSecond || result is not { End: RunEnd.Clean, Outcomes.Count: 0 }) return;
                isSecond = true;
                pause = SecondLook;
            }
            if (await GatherAsync(alerts, pause, stoppingToken) && held is not null) held = time.GetTimestamp();
        }
    }

    /// <summary>Whether a scan that begins or succeeds opens what holds repairs back. Once waited for, other passing blocks are outwaited too; a pause is a person's.</summary>
    private static bool WaitsForProof(RepairPlan? plan, bool isHeld) =>
        plan is not null && (plan.IsHeldByShare || (isHeld && plan.IsBlocked)) && !plan.Blocks.Any(block => block.Reason is SkipReason.Paused or SkipReason.Off);

    /// <summary>Waits for the next look, which serves also whoever asks meanwhile.</summary>
    /// <returns>Whether somebody has asked.</returns>
    private async Task<bool> GatherAsync(SortedSet<string> alerts, TimeSpan pause, CancellationToken stoppingToken)
    {
        using var over = new CancellationTokenSource(pause, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, stoppingToken);
        var asked = false;
        try
        {
            while (true)
            {
                alerts.UnionWith(await wakes.NextAsync(either.Token));
                asked = true;
            }
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            // The pause is over.
            return asked;
        }
    }

    private Task<RunResult> RunAsync(SortedSet<string> alerts, CancellationToken stoppingToken)
    {
        var names = string.Join(", ", alerts);
        var actor = names.Length <= MostCharacters ? names : names[..MostCharacters];
        return run.RunAsync(new RunRequest { Asker = new Asker(RunSource.Alert, actor) }, stoppingToken);
    }
}

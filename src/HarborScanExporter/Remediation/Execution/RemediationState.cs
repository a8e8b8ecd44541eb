using System.Threading.Channels;
using HarborScanExporter.Remediation.Audit;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>What the runs of this process came to, in memory: what is known without asking the database.</summary>
internal sealed class RemediationState(TimeProvider time)
{
    private readonly Channel<bool> _intents = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile EndedRun? _newest;

    /// <summary>The newest run that looked at Harbor; null before the first.</summary>
    public EndedRun? Newest => _newest;

    /// <summary>Takes in what a run came to.</summary>
    public void Tell(RunResult result)
    {
        if (result.End != RunEnd.Busy || result.Outcomes.Count > 0) _newest = new EndedRun(result, time.GetUtcNow());
        if (result.Outcomes.Concat(result.Unconfirmed).Any(outcome => outcome.State == RepairState.Intended)) _intents.Writer.TryWrite(true);
    }

    /// <summary>Returns when a run has left an act of Harbor's API without an outcome.</summary>
    public async Task IntentLeftOpenAsync(CancellationToken cancellationToken) => await _intents.Reader.ReadAsync(cancellationToken);
}

/// <summary>A run that is over.</summary>
/// <param name="Result">What it came to.</param>
/// <param name="At">When it ended, by this process' clock.</param>
internal sealed record EndedRun(RunResult Result, DateTimeOffset At);

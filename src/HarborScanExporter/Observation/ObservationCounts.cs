using HarborScanExporter.Failures;

namespace HarborScanExporter.Observation;

/// <summary>The observations of this process since its start, counted.</summary>
internal sealed class ObservationCounts
{
    private readonly long[] _failed = new long[FailureReason.All.Count];
    private long _begun;
    private long _shared;
    private long _cutShort;

    /// <summary>Those that were begun; all who ask at once share one.</summary>
    public long Begun => Interlocked.Read(ref _begun);

    /// <summary>How often one was shared with another.</summary>
    public long Shared => Interlocked.Read(ref _shared);

    /// <summary>How often somebody was answered with what there was by then.</summary>
    public long CutShort => Interlocked.Read(ref _cutShort);

    /// <summary>Those that failed in whole or in part, by the first reason.</summary>
    public long Failed(string reason) => Interlocked.Read(ref _failed[FailureReason.IndexOf(reason)]);

    public void CountBegun() => Interlocked.Increment(ref _begun);

    public void CountShared() => Interlocked.Increment(ref _shared);

    public void CountCutShort() => Interlocked.Increment(ref _cutShort);

    public void CountFailed(string reason) => Interlocked.Increment(ref _failed[FailureReason.IndexOf(reason)]);
}

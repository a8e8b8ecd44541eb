namespace HarborScanExporter.Failures;

/// <summary>A failure that knows its reason, so that nobody above has to know its type.</summary>
internal interface IKnownFailure
{
    /// <summary>One of <see cref="FailureReason.All"/>.</summary>
    string Reason { get; }

    /// <summary>What lies beneath and decides instead; null when nothing does.</summary>
    Exception? Cause => null;

    /// <summary>Whether its message ends with what to do.</summary>
    bool SaysFix => false;
}

using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>The final status that tells the truth about a scan that nobody will report on.</summary>
internal static class TruthfulStatus
{
    /// <summary>
    /// Success when every report the task names holds the result of its own scan (harbor-facts 0.9, S08; 0.2 for reports that outlive a rescan). Else the
    /// final status of the job's record, Success excepted, whose report is missing. Else Error.
    /// </summary>
    public static string Of(JudgedTask judged) => judged switch
    {
        { Stored: true } => ScanStatus.Success,
        { Job.Record.Status: ScanStatus.Stopped } => ScanStatus.Stopped,
        _ => ScanStatus.Error,
    };
}

namespace HarborSimulator.Schema;

/// <summary>What Harbor does differently from release to release, where a scan row shows it.</summary>
public static class ReleaseRules
{
    extension(HarborRelease release)
    {
        /// <summary>Task attributes carry one key <c>report:&lt;uuid&gt;</c> for each report, by which the owner of a report is looked up.</summary>
        public bool HasReportKeys => release.Version < new Version(2, 7, 3) || release.Name == "2.8.0";

        public bool HasArtifactTag => release.IsAtLeast("2.3.0");

        public bool CanStopScans => release.IsAtLeast("2.4.0");

        /// <summary>The job-service dashboard: stop, pause and resume of whole queues, and the table job_queue_status.</summary>
        public bool CanStopQueues => release.IsAtLeast("2.7.0");

        /// <summary>Stopping a queue also removes the jobs' records; before, the reaper turned the rows back to Pending.</summary>
        public bool QueueStopRemovesRecords =>
            release.IsWithin("2.7.3", "2.7.4") || release.IsWithin("2.8.5", "2.8.6") || release.IsAtLeast("2.9.1");

        /// <summary>Executions are refreshed by a loop every 30 seconds instead of inside each hook.</summary>
        public bool RefreshesLater => release.IsAtLeast("2.8.0");

        /// <summary>The scheduled job EXECUTION_SWEEP exists; before, every new execution swept its own vendor.</summary>
        public bool SweepsByJob => release.IsAtLeast("2.8.0");

        /// <summary>Hourly up to 2.11, daily at midnight from 2.12.</summary>
        public TimeSpan SweepPeriod => release.IsAtLeast("2.12.0") ? TimeSpan.FromDays(1) : TimeSpan.FromHours(1);

        /// <summary>A sweep deletes executions that still have tasks, and so fails on the foreign key.</summary>
        public bool SweepHitsForeignKey => release.IsWithin("2.8.0", "2.11.0");

        /// <summary>vendor_id of an IMAGE_SCAN execution is the artifact; before, the scanner registration.</summary>
        public bool VendorIdIsArtifact => release.IsAtLeast("2.9.0");

        public bool NamesOperator => release.IsAtLeast("2.9.0");

        /// <summary>The summary of a scan-all is merged into its attributes; before, it replaced them.</summary>
        public bool MergesSummary => release.IsAtLeast("2.9.0");

        public bool ScanAllStopsEnumerating => release.IsAtLeast("2.9.0");

        public bool HasSbom => release.IsAtLeast("2.11.0");

        public bool NamesCapability => release.IsAtLeast("2.11.0");

        /// <summary>Scan robots never expire, so a leaked one stays for good.</summary>
        public bool RobotsNeverExpire => release.IsAtLeast("2.11.0");

        public bool PrefixesRobots => release.IsAtLeast("2.8.0");

        /// <summary>The robot of a finished SBOM task is deleted; from 2.11.0 to 2.12.4 each one leaked.</summary>
        public bool DeletesSbomRobots => release.IsAtLeast("2.13.0");

        /// <summary>How many executions of a vendor id a sweep keeps; null where the vendor is never swept.</summary>
        public int? RetentionOf(string vendorType) => vendorType switch
        {
            "SCHEDULER" => null,
            "IMAGE_SCAN" => release.IsAtLeast("2.9.0") ? 1 : null,
            "SBOM" => 1,
            "SCAN_ALL" => release.IsAtLeast("2.9.0") ? 1 : 5,
            "PURGE_AUDIT_LOG" or "EXECUTION_SWEEP" => 10,
            _ => 50,
        };
    }
}

namespace HarborScanExporter.Tests.Recordings;

/// <summary>What the exporter must answer at moments of a real Harbor 2.11.0; see <see cref="RecordingsOf280Tests"/>.</summary>
public sealed class RecordingsOf2110Tests(ITestOutputHelper output)
{
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan Acknowledged = TimeSpan.FromMinutes(16);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData("2.11.0-a3")]
    public async Task Everything_has_ended(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable"]);
        await harbor.AfterAMinuteAsync(["usable"]);
        await harbor.LaterAsync(Hour, ["usable"]);
    }

    /// <summary>The refresh of the scan-all that had just ended was lost with Redis: Harbor refuses another.</summary>
    [Theory]
    [InlineData("2.11.0-b2")]
    public async Task Job_service_and_Redis_are_dead(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] young = ["unreachable", "live settling IMAGE_SCAN 25", "live settling SBOM 6", "redis_unreachable"];
        await harbor.FirstLookAsync(young);
        await harbor.AfterAMinuteAsync(young);
        await harbor.LaterAsync(Settled, ["unreachable", "live unjudged IMAGE_SCAN 25", "live unjudged SBOM 6", "execution_not_refreshed SCAN_ALL 1", "scan-all blocked", "redis_unreachable"]);
    }

    [Theory]
    [InlineData("2.11.0-b3")]
    public async Task The_job_service_is_back_beside_an_empty_Redis(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable", "live settling IMAGE_SCAN 25", "live settling SBOM 6"]);
        string[] lost = ["usable", "stuck lost IMAGE_SCAN Pending 15", "stuck lost IMAGE_SCAN Running 10", "stuck lost SBOM Pending 6"];
        await harbor.AfterAMinuteAsync(lost);
        await harbor.LaterAsync(Settled, [.. lost, "execution_not_refreshed SCAN_ALL 1", "scan-all blocked"]);
    }

    [Theory]
    [InlineData("2.11.0-b5")]
    public async Task A_scan_all_and_SBOMs_are_lost(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable", "live settling SBOM 3", "live settling SCAN_ALL 216"]);
        string[] lost =
        [
            "usable", "stuck lost SBOM Pending 2", "stuck lost SBOM Running 1", "stuck lost SCAN_ALL Pending 207", "stuck lost SCAN_ALL Running 9", "scan-all blocked", "scan_all_blocked",
        ];
        await harbor.AfterAMinuteAsync(lost);
        await harbor.LaterAsync(Hour, lost);
    }

    /// <summary>What was lost is repaired and scanned anew. Two rows were set back to Running by hand after core had acknowledged their end.</summary>
    [Theory]
    [InlineData("2.11.0-b6")]
    public async Task The_lost_scans_are_repaired(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] queued = ["live queued IMAGE_SCAN 1", "live queued SBOM 1", "live queued SCAN_ALL 9"];
        await harbor.FirstLookAsync(["usable", .. queued, "live settling IMAGE_SCAN 1", "live settling SBOM 1"]);
        await harbor.AfterAMinuteAsync(["usable", .. queued, "live settling IMAGE_SCAN 1", "live settling SBOM 1"]);
        await harbor.LaterAsync(Acknowledged, ["usable", "stuck unreported IMAGE_SCAN Running 1", "stuck unreported SBOM Running 1", .. queued]);
    }

    [Theory]
    [InlineData("2.11.0-c1")]
    public async Task Lost_rows_were_set_to_Error_by_hand_and_scanned_again(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] wrong = ["usable", "final_status_wrong_code IMAGE_SCAN 6"];
        await harbor.FirstLookAsync(wrong);
        await harbor.AfterAMinuteAsync(wrong);
        await harbor.LaterAsync(Hour, wrong);
    }

    [Theory]
    [InlineData("2.11.0-c2")]
    public async Task The_sweep_has_failed_over_the_rows_set_by_hand(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] blocked = ["usable", "final_status_wrong_code IMAGE_SCAN 6", "sweep_blocked IMAGE_SCAN 6"];
        await harbor.FirstLookAsync(blocked);
        await harbor.AfterAMinuteAsync(blocked);
        await harbor.LaterAsync(Hour, blocked);
    }

    [Theory]
    [InlineData("2.11.0-c3")]
    public async Task After_the_repair_the_sweep_has_passed(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable"]);
        await harbor.AfterAMinuteAsync(["usable"]);
        await harbor.LaterAsync(Hour, ["usable"]);
    }

    /// <summary>The record of one of the three is gone, so that its stored report decides at once.</summary>
    [Theory]
    [InlineData("2.11.0-f1")]
    public async Task Rows_were_set_back_to_Running_after_their_end(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] settling = ["usable", "stuck unreported IMAGE_SCAN Running 1", "live settling IMAGE_SCAN 1", "live settling SBOM 1"];
        await harbor.FirstLookAsync(settling);
        await harbor.AfterAMinuteAsync(settling);
        await harbor.LaterAsync(Acknowledged, ["usable", "stuck unreported IMAGE_SCAN Running 2", "stuck unreported SBOM Running 1"]);
    }
}

namespace HarborScanExporter.Tests.Recordings;

/// <summary>
/// What the exporter must answer at moments of a real Harbor 2.8.0, decided from what had happened (harbor-facts 0.2): nothing that lives is
/// stuck, what is lost is lost after two sightings, and what only time decides is decided at its time.
/// </summary>
public sealed class RecordingsOf280Tests(ITestOutputHelper output)
{
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan Enumerated = TimeSpan.FromMinutes(16);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData("2.8.0-01a")]
    public async Task Healthy_scans_run_and_wait(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] healthy = ["usable", "live queued IMAGE_SCAN 30", "live running IMAGE_SCAN 10"];
        await harbor.FirstLookAsync(healthy);
        await harbor.AfterAMinuteAsync(healthy);
        await harbor.LaterAsync(Hour, healthy);
    }

    /// <summary>Eight of the scan-all had begun when the keys were read.</summary>
    [Theory]
    [InlineData("2.8.0-01b")]
    public async Task A_single_scan_waits_behind_a_scan_all(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] healthy = ["usable", "live queued IMAGE_SCAN 1", "live queued SCAN_ALL 192", "live running IMAGE_SCAN 10", "live running SCAN_ALL 8"];
        await harbor.FirstLookAsync(healthy);
        await harbor.AfterAMinuteAsync(healthy);
        await harbor.LaterAsync(Hour, healthy);
    }

    /// <summary>An empty Redis without any job service may be the wrong database number: it proves nothing until one starts beside it.</summary>
    [Theory]
    [InlineData("2.8.0-02a")]
    public async Task Redis_was_emptied_twelve_seconds_ago(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["empty", "live settling IMAGE_SCAN 30", "redis_wrong_database"]);
        await harbor.AfterAMinuteAsync(["empty", "live settling IMAGE_SCAN 30", "redis_wrong_database"]);
        await harbor.JobServiceStartsAsync();
        await harbor.AfterAMinuteAsync(["usable", "live settling IMAGE_SCAN 30"], "job service started");
        await harbor.AfterAMinuteAsync(["usable", "stuck lost IMAGE_SCAN Pending 20", "stuck lost IMAGE_SCAN Running 10"], "60 s after its start");
        await harbor.LaterAsync(Settled, ["empty", "live unjudged IMAGE_SCAN 30", "redis_wrong_database"]);
    }

    [Theory]
    [InlineData("2.8.0-02b")]
    public async Task The_job_service_has_panicked_over_an_emptied_Redis(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["empty", "live settling IMAGE_SCAN 30", "redis_wrong_database"]);
        await harbor.AfterAMinuteAsync(["empty", "live settling IMAGE_SCAN 30", "redis_wrong_database"]);
        await harbor.JobServiceStartsAsync();
        await harbor.AfterAMinuteAsync(["usable", "live settling IMAGE_SCAN 30"], "job service started");
        await harbor.AfterAMinuteAsync(["usable", "stuck lost IMAGE_SCAN Pending 20", "stuck lost IMAGE_SCAN Running 10"], "60 s after its start");
    }

    /// <summary>A seventh scan had stored its report; its row was set back. The scan-all that was enumerating has no task.</summary>
    [Theory]
    [InlineData("2.8.0-02c")]
    public async Task Redis_is_emptied_under_an_idle_job_service(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable", "stuck unreported IMAGE_SCAN Running 1", "live settling IMAGE_SCAN 6", "redis_emptied"]);
        string[] lost = ["usable", "stuck lost IMAGE_SCAN Pending 6", "stuck unreported IMAGE_SCAN Running 1"];
        await harbor.AfterAMinuteAsync([.. lost, "redis_emptied"]);
        await harbor.LaterAsync(Enumerated, [.. lost, "execution_final_with_open_task IMAGE_SCAN 1", "execution_without_tasks SCAN_ALL 1", "scan-all blocked", "redis_emptied"]);
    }

    [Theory]
    [InlineData("2.8.0-02d")]
    public async Task A_minute_later_the_idle_job_service_still_beats(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable", "stuck unreported IMAGE_SCAN Running 1", "live settling IMAGE_SCAN 6", "redis_emptied"]);
        string[] lost = ["usable", "stuck lost IMAGE_SCAN Pending 6", "stuck unreported IMAGE_SCAN Running 1"];
        await harbor.AfterAMinuteAsync([.. lost, "redis_emptied"]);
        await harbor.LaterAsync(Enumerated, [.. lost, "execution_final_with_open_task IMAGE_SCAN 1", "execution_without_tasks SCAN_ALL 1", "scan-all blocked", "redis_emptied"]);
    }

    /// <summary>Its heartbeat is young for half a minute; then what it held waits to be queued anew.</summary>
    [Theory]
    [InlineData("2.8.0-03a")]
    public async Task The_job_service_was_killed(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable", "live queued IMAGE_SCAN 12", "live running IMAGE_SCAN 10"]);
        string[] down = ["usable", "live queued IMAGE_SCAN 12", "live requeued IMAGE_SCAN 10", "jobservice_down"];
        await harbor.AfterAMinuteAsync(down);
        await harbor.LaterAsync(Hour, down);
    }

    [Theory]
    [InlineData("2.8.0-04a")]
    public async Task Redis_is_empty_and_the_job_service_away(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] young = ["empty", "live settling SCAN_ALL 127", "redis_wrong_database"];
        await harbor.FirstLookAsync(young);
        await harbor.AfterAMinuteAsync(young);
        await harbor.LaterAsync(Settled, ["empty", "live unjudged SCAN_ALL 127", "execution_not_refreshed IMAGE_SCAN 20", "redis_wrong_database"]);
    }

    [Theory]
    [InlineData("2.8.0-04b")]
    public async Task The_job_service_is_back_beside_an_empty_Redis(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable", "live settling SCAN_ALL 124"]);
        string[] lost = ["usable", "stuck lost SCAN_ALL Pending 114", "stuck lost SCAN_ALL Running 10"];
        await harbor.AfterAMinuteAsync([.. lost, "scan-all blocked", "scan_all_blocked"]);
        await harbor.LaterAsync(Settled, [.. lost, "execution_not_refreshed IMAGE_SCAN 20", "scan-all blocked", "scan_all_blocked"]);
    }

    /// <summary>The ends are final in Redis and not acknowledged; core takes them when it is back.</summary>
    [Theory]
    [InlineData("2.8.0-06a")]
    public async Task Core_is_away_and_no_hook_arrives(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] settling = ["usable", "live settling IMAGE_SCAN 13", "live settling SCAN_ALL 40", "execution_not_refreshed IMAGE_SCAN 20"];
        await harbor.FirstLookAsync(settling);
        await harbor.AfterAMinuteAsync(settling);
        await harbor.LaterAsync(Hour, settling);
    }

    [Theory]
    [InlineData("2.8.0-06b")]
    public async Task Core_is_back_and_twenty_refreshes_are_lost(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] notRefreshed = ["usable", "execution_not_refreshed IMAGE_SCAN 20"];
        await harbor.FirstLookAsync(notRefreshed);
        await harbor.AfterAMinuteAsync(notRefreshed);
        await harbor.LaterAsync(Hour, notRefreshed);
    }

    [Theory]
    [InlineData("2.8.0-07a")]
    public async Task The_queue_is_paused_and_thirty_scans_are_lost(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] paused = ["live paused IMAGE_SCAN 12", "live paused SCAN_ALL 169"];
        await harbor.FirstLookAsync(["usable", .. paused, "live settling IMAGE_SCAN 30", "queue_paused"]);
        string[] lost = ["usable", "stuck lost IMAGE_SCAN Pending 20", "stuck lost IMAGE_SCAN Running 10", .. paused, "queue_paused"];
        await harbor.AfterAMinuteAsync(lost);
        await harbor.LaterAsync(Hour, lost);
    }

    [Theory]
    [InlineData("2.8.0-07b")]
    public async Task The_queue_was_stopped(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] wrong = ["final_status_wrong_code IMAGE_SCAN 12", "final_status_wrong_code SCAN_ALL 169"];
        await harbor.FirstLookAsync(["usable", "live settling IMAGE_SCAN 30", .. wrong, "queue_paused"]);
        await harbor.AfterAMinuteAsync(["usable", "stuck lost IMAGE_SCAN Pending 20", "stuck lost IMAGE_SCAN Running 10", .. wrong, "queue_paused"]);
    }

    [Theory]
    [InlineData("2.8.0-07c")]
    public async Task The_reaper_made_what_is_queued_nowhere_Pending_again(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable", "live settling IMAGE_SCAN 12", "live settling SCAN_ALL 169"]);
        string[] notQueued = ["usable", "stuck not_queued IMAGE_SCAN Pending 12", "stuck not_queued SCAN_ALL Pending 169", "scan-all blocked", "scan_all_blocked"];
        await harbor.AfterAMinuteAsync(notQueued);
        await harbor.LaterAsync(Hour, notQueued);
    }

    [Theory]
    [InlineData("2.8.0-07d")]
    public async Task What_was_queued_nowhere_is_repaired(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable"]);
        await harbor.AfterAMinuteAsync(["usable"]);
        await harbor.LaterAsync(Hour, ["usable"]);
    }

    [Theory]
    [InlineData("2.8.0-08a")]
    public async Task Lost_rows_were_set_to_Error_by_hand(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] wrong = ["usable", "final_status_wrong_code SCAN_ALL 124"];
        await harbor.FirstLookAsync(wrong);
        await harbor.AfterAMinuteAsync(wrong);
        await harbor.LaterAsync(Settled, ["usable", "execution_not_refreshed IMAGE_SCAN 20", "execution_not_refreshed SCAN_ALL 1", "final_status_wrong_code SCAN_ALL 124", "scan-all blocked"]);
    }

    [Theory]
    [InlineData("2.8.0-08b")]
    public async Task The_sweep_has_failed_over_the_rows_set_by_hand(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] blocked = ["final_status_wrong_code SCAN_ALL 87", "sweep_blocked SCAN_ALL 1"];
        await harbor.FirstLookAsync(["usable", "live running IMAGE_SCAN 2", .. blocked]);
        await harbor.AfterAMinuteAsync(["usable", "live running IMAGE_SCAN 2", .. blocked]);
        await harbor.LaterAsync(Settled, ["usable", "live running IMAGE_SCAN 2", "execution_not_refreshed IMAGE_SCAN 20", .. blocked]);
    }

    [Theory]
    [InlineData("2.8.0-09a")]
    public async Task Core_was_killed_while_it_enumerated(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] healthy = ["usable", "live queued IMAGE_SCAN 3", "live queued SCAN_ALL 40", "live running IMAGE_SCAN 10", "execution_not_refreshed IMAGE_SCAN 20"];
        await harbor.FirstLookAsync(healthy);
        await harbor.AfterAMinuteAsync(healthy);
        await harbor.LaterAsync(Hour, healthy);
    }

    [Theory]
    [InlineData("2.8.0-09b")]
    public async Task A_scan_all_has_no_task_yet(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable"]);
        await harbor.AfterAMinuteAsync(["usable"]);
        await harbor.LaterAsync(Settled, ["usable"]);
        await harbor.LaterAsync(Enumerated, ["usable", "execution_without_tasks SCAN_ALL 1", "scan-all blocked"]);
    }

    /// <summary>By start it is not the newest, which is what Harbor asks. Two scans lost the last hook after core had acknowledged it.</summary>
    [Theory]
    [InlineData("2.8.0-09c")]
    public async Task A_scan_all_without_tasks_is_twenty_minutes_old(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] settling = ["usable", "live settling IMAGE_SCAN 2", "execution_without_tasks SCAN_ALL 1"];
        await harbor.FirstLookAsync(settling);
        await harbor.AfterAMinuteAsync(settling);
        await harbor.LaterAsync(Enumerated, ["usable", "stuck unreported IMAGE_SCAN Running 2", "execution_without_tasks SCAN_ALL 1"]);
    }

    [Theory]
    [InlineData("2.8.0-09d")]
    public async Task A_scan_all_without_tasks_is_the_newest(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] blocked = ["execution_without_tasks SCAN_ALL 1", "scan-all blocked"];
        await harbor.FirstLookAsync(["usable", "live settling IMAGE_SCAN 2", .. blocked]);
        await harbor.AfterAMinuteAsync(["usable", "live settling IMAGE_SCAN 2", .. blocked]);
        await harbor.LaterAsync(Enumerated, ["usable", "stuck unreported IMAGE_SCAN Running 2", .. blocked]);
    }

    [Theory]
    [InlineData("2.8.0-09e")]
    public async Task A_scan_all_has_had_no_task_for_fifteen_minutes(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] blocked = ["usable", "execution_not_refreshed IMAGE_SCAN 1", "execution_without_tasks SCAN_ALL 1", "scan-all blocked"];
        await harbor.FirstLookAsync(blocked);
        await harbor.AfterAMinuteAsync(blocked);
        await harbor.LaterAsync(Hour, blocked);
    }

    /// <summary>Three scans wait for the job service. What Redis lost a minute before stays lost.</summary>
    [Theory]
    [InlineData("2.8.0-13")]
    public async Task The_job_service_was_stopped(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        await harbor.FirstLookAsync(["usable", "stuck unreported IMAGE_SCAN Running 1", "live queued IMAGE_SCAN 3", "live settling IMAGE_SCAN 6", "jobservice_down"]);
        string[] lost = ["usable", "stuck lost IMAGE_SCAN Pending 6", "stuck unreported IMAGE_SCAN Running 1", "live queued IMAGE_SCAN 3"];
        await harbor.AfterAMinuteAsync([.. lost, "jobservice_down"]);
        await harbor.LaterAsync(Hour, [.. lost, "execution_final_with_open_task IMAGE_SCAN 1", "execution_without_tasks SCAN_ALL 1", "scan-all blocked", "jobservice_down"]);
    }

    /// <summary>Two scans ended while Harbor was read-only: their end is told again. Two others lost it after core had acknowledged it.</summary>
    [Theory]
    [InlineData("2.8.0-14")]
    public async Task Scans_end_while_Harbor_is_read_only(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] settling = ["usable", "live settling IMAGE_SCAN 4", "execution_without_tasks SCAN_ALL 1"];
        await harbor.FirstLookAsync(settling);
        await harbor.AfterAMinuteAsync(settling);
        await harbor.LaterAsync(Hour, ["usable", "stuck unreported IMAGE_SCAN Running 2", "live settling IMAGE_SCAN 2", "execution_without_tasks SCAN_ALL 1"]);
    }

    /// <summary>What runs a second time is running, though the report of its first run is stored.</summary>
    [Theory]
    [InlineData("2.8.0-16")]
    public async Task Two_job_services_run_the_same_scans(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] running = ["usable", "live running IMAGE_SCAN 11", "live settling IMAGE_SCAN 2"];
        await harbor.FirstLookAsync(running);
        await harbor.AfterAMinuteAsync(running);
        await harbor.LaterAsync(Enumerated, ["usable", "stuck unreported IMAGE_SCAN Running 2", "live running IMAGE_SCAN 11", "execution_without_tasks SCAN_ALL 1", "scan-all blocked"]);
    }

    /// <summary>The process that ran the scan is dead within its next poll; the one that lives on held none.</summary>
    [Theory]
    [InlineData("2.8.0-17")]
    public async Task One_of_two_job_services_panicked_over_an_emptied_Redis(string recording)
    {
        await using var harbor = await RecordedHarbor.StartAsync(recording, output);
        string[] known = ["stuck unreported IMAGE_SCAN Running 2"], after = ["execution_not_refreshed IMAGE_SCAN 1"];
        await harbor.FirstLookAsync(["usable", .. known, "live settling IMAGE_SCAN 1", .. after]);
        await harbor.LaterAsync(TimeSpan.FromMinutes(8), ["usable", "stuck lost IMAGE_SCAN Running 1", .. known, .. after]);
    }
}

using System.Globalization;
using HarborSimulator.Jobs;
using HarborSimulator.Schema;

namespace HarborSimulator;

/// <summary>What this Harbor does by itself: refresh loop, sweeps, background jobs, pushes, the nightly scan-all.</summary>
public sealed partial class HarborSimulation
{
    private static readonly TimeSpan RefreshPeriod = TimeSpan.FromSeconds(30);
    private static readonly string[] Projects = ["library", "platform", "payments", "web", "data"];
    private static readonly string[] Repositories = ["api", "worker", "frontend", "batch", "proxy", "migrations"];
    private long _pushes;

    /// <summary>What the last scheduled or demanded sweep did.</summary>
    public SweepResult? LastSweep { get; private set; }

    private async Task StartSchedulesAsync(CancellationToken cancellationToken)
    {
        if (Release.RefreshesLater) _timeline.In(RefreshPeriod, RefreshLoopAsync);
        if (Release.SweepsByJob && Settings.Sweeps)
            await ScheduleAsync(VendorType.Sweep, -1, "EXECUTION_SWEEP_CALLBACK", Release.SweepPeriod, TimeSpan.Zero, TimeSpan.FromSeconds(5), cancellationToken);
        if (Settings.ScanAllAt is { } time)
            await ScheduleAsync(VendorType.ScanAll, 0, "scanAll", TimeSpan.FromDays(1), time.ToTimeSpan(), TimeSpan.Zero, cancellationToken);
        if (Settings.BackgroundJobs)
        {
            await ScheduleAsync(VendorType.Replication, 1, "REPLICATION_CALLBACK", TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(7), TimeSpan.FromMinutes(2), cancellationToken);
            await ScheduleAsync(VendorType.GarbageCollection, -1, "GARBAGE_COLLECTION_CALLBACK", TimeSpan.FromDays(1), TimeSpan.FromHours(3), TimeSpan.FromMinutes(9), cancellationToken);
            await ScheduleAsync(VendorType.Retention, 1, "RETENTION_CALLBACK", TimeSpan.FromDays(1), TimeSpan.FromHours(4), TimeSpan.FromMinutes(1), cancellationToken);
        }
        if (Settings.PushesPerHour <= 0) return;
        _timeline.At(DateTime.SpecifyKind(Settings.PushesFrom ?? Settings.Start, DateTimeKind.Unspecified), _ =>
        {
            PlanPush();
            return Task.CompletedTask;
        });
    }

    private async Task RefreshLoopAsync(CancellationToken cancellationToken)
    {
        await _core.RefreshOutdatedAsync(cancellationToken);
        _timeline.In(RefreshPeriod, RefreshLoopAsync);
    }

    /// <summary>A schedule row and the SCHEDULER execution and task that live as long as it does.</summary>
    private async Task ScheduleAsync(string vendorType, long vendorId, string callback, TimeSpan period, TimeSpan offset, TimeSpan duration, CancellationToken cancellationToken)
    {
        var schedule = await _sql.NextIdAsync("schedule_id_seq", cancellationToken);
        var cron = period == TimeSpan.FromHours(1) ? "0 0 * * * *"
            : period == TimeSpan.FromMinutes(30) ? string.Create(CultureInfo.InvariantCulture, $"0 {offset.Minutes},{offset.Minutes + 30} * * * *")
            : string.Create(CultureInfo.InvariantCulture, $"0 {offset.Minutes} {offset.Hours} * * *");
        await _sql.AddAsync("""
            insert into schedule (id, creation_time, update_time, vendor_type, vendor_id, cron, callback_func_name, callback_func_param, cron_type, extra_attrs)
            values ($1, $2, $2, $3, $4, $5, $6, '', $7, '{}')
            """, cancellationToken, schedule, _timeline.Micro, vendorType, vendorId, cron, callback, period == TimeSpan.FromHours(1) ? "Hourly" : "Daily");
        var execution = await _core.CreateExecutionAsync(VendorType.Scheduler, schedule, "MANUAL", "{}", cancellationToken);
        var policy = _core.NewJobId();
        await _core.CreateTaskAsync(execution, VendorType.Scheduler, policy, "{}", null, cancellationToken);
        await _jobs.Keys.SortedSetAddAsync(JobKeys.Policies, $$"""{"id":"{{policy}}","job_name":"SCHEDULER","cron_spec":"{{cron}}"}""", _timeline.Unix);
        var first = (Settings.SinceMidnight is { } passed ? _timeline.Now - passed : _timeline.Now.Date) + offset;
        while (first <= _timeline.Now) first += period;
        _timeline.At(first, token => FireAsync(vendorType, vendorId, policy, period, duration, token));
    }

    /// <summary>One turn of a schedule: its own task runs, succeeds and is scheduled again; the callback starts the vendor's job.</summary>
    private async Task FireAsync(string vendorType, long vendorId, string policy, TimeSpan period, TimeSpan duration, CancellationToken cancellationToken)
    {
        _timeline.At(_timeline.Now + period, token => FireAsync(vendorType, vendorId, policy, period, duration, token));
        if (!_jobs.IsUp) return;
        var revision = _timeline.Unix;
        await _core.HookAsync(policy, HarborStatus.Running, revision, cancellationToken);
        await _core.HookAsync(policy, HarborStatus.Success, revision, cancellationToken);
        _timeline.In(TimeSpan.FromMinutes(1), token => _core.HookAsync(policy, HarborStatus.Scheduled, revision + 60, token));
        if (_core.IsDown) return;
        if (vendorType == VendorType.ScanAll) await _scans.ScanAllAsync("SCHEDULE", cancellationToken);
        else await StartJobAsync(vendorType, vendorId, "SCHEDULE", duration, cancellationToken);
    }

    /// <summary>Starts a job of another vendor: one execution, one task.</summary>
    private async Task<long> StartJobAsync(string vendorType, long vendorId, string trigger, TimeSpan duration, CancellationToken cancellationToken)
    {
        var execution = await _core.CreateExecutionAsync(vendorType, vendorId, trigger, "{}", cancellationToken);
        var jobId = _core.NewJobId();
        var task = await _core.CreateTaskAsync(execution, vendorType, jobId, "{}", null, cancellationToken);
        await _jobs.SubmitAsync(jobId, "{}", new Work(vendorType, task.Id,
            () => duration * (0.5 + _random.NextDouble()),
            vendorType == VendorType.Sweep ? SweepJobAsync : _ => Task.FromResult(HarborStatus.Success)));
        return execution;
    }

    private async Task<string> SweepJobAsync(CancellationToken cancellationToken)
    {
        LastSweep = await _sweeper.SweepAsync(cancellationToken);
        return LastSweep.FailedVendors.Count == 0 ? HarborStatus.Success : HarborStatus.Error;
    }

    private void PlanPush()
    {
        // Exponential gaps: pushes come at random, at the given rate on average.
        var hours = -Math.Log(1 - _random.NextDouble()) / Settings.PushesPerHour;
        _timeline.In(TimeSpan.FromHours(hours), async token =>
        {
            PlanPush();
            if (_core.IsDown) return;
            var project = Projects[_random.Next(Projects.Length)];
            var repository = Repositories[_random.Next(Repositories.Length)];
            var children = _random.NextDouble() < Settings.IndexShare ? 2 + _random.Next(2) : 0;
            var tag = string.Create(CultureInfo.InvariantCulture, $"1.{++_pushes}");
            var artifact = await _registry.PushAsync(project, repository, tag, children, token);
            await _scans.ScanAsync(artifact, VendorType.ImageScan, token);
            if (Release.HasSbom && _random.NextDouble() < Settings.SbomShare) await _scans.ScanAsync(artifact, VendorType.Sbom, token);
        });
    }
}

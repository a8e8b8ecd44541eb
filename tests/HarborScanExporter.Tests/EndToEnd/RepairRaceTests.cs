using System.Diagnostics;
using System.Globalization;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using HarborSimulator;
using Npgsql;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// Several exporters repair lost scans while Harbor works: the simulator's workers finish, run again after the loss of their pool and send
/// their hooks again after an outage of core; somebody writes Error by hand over scans that live; and for a part of the lost scans a hook comes
/// after all, at any moment. Every change of a task is written down by the database itself, so that what really happened is compared with the
/// audit and with Harbor's rules.
/// </summary>
public sealed class RepairRaceTests(ITestOutputHelper output)
{
    /// <summary>The test goes on until so many repairs are in the audit: more where HARBOR_TEST_HISTORIES asks for many histories.</summary>
    private static readonly int LeastRepairs = HistorySeeds.AreAsked ? 10_000 : 4_000;

    /// <summary>Executions of one round; each has one to three lost tasks.</summary>
    private const int Executions = 900;

    /// <summary>A round that repairs nothing more, and this many of them, end the test with a failure instead of a hang.</summary>
    private const int MostRounds = 40;

    private const int Seed = 20260921;

    /// <summary>Lost scans for which a hook comes after all.</summary>
    private const double LateShare = 0.15;

    private const string FencedSql = """
        update task set
            run_count = case when status_revision < $3 then run_count + 1 else run_count end,
            start_time = case when status_revision < $3 then to_timestamp($3) at time zone 'UTC' else start_time end,
            status = $1, status_code = $2, status_revision = $3, update_time = date_trunc('second', now() at time zone 'utc'),
            end_time = case when $2 = 3 then date_trunc('second', now() at time zone 'utc') else timestamp '0001-01-01 00:00:00' end
        where id = $4 and (status_revision < $3 or (status_revision = $3 and status_code < $2))
        """;

    private const string DerivedSql = """
        select e.revision::bigint, d.status, d.end_time
        from execution e, (
            select case when bool_or(status in ('Pending', 'Scheduled', 'Running')) then 'Running' when bool_or(status = 'Error') then 'Error'
                        when bool_or(status = 'Stopped') then 'Stopped' else 'Success' end as status, max(end_time) as end_time
            from task where execution_id = $1) d
        where e.id = $1
        """;

    private const string RefreshSql = """
        update execution set status = $2, revision = revision + 1, update_time = date_trunc('second', now() at time zone 'utc'), end_time = case when $2 <> 'Running' then $3 end
        where id = $1 and revision = $4
        """;

    private readonly Lock _counting = new();
    private readonly SortedDictionary<string, int> _happened = new(StringComparer.Ordinal);
    private readonly HashSet<(long Task, long Revision)> _live = [];
    private readonly HashSet<long> _alive = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_finished_scan_is_overwritten_no_live_one_touched_no_row_repaired_twice_and_the_audit_has_each_change()
    {
        var clock = Stopwatch.StartNew();
        await using var harbor = await TestHarbor.CreateAsync("2.13.0");
        await using var redis = await RedisServer.StartAsync();
        await using var simulated = await SimulatedHarbor.StartAsync(harbor, TimeSpan.FromMinutes(30),
            new SimulationSettings { Seed = Seed, Pools = 2, WorkersPerPool = 5, MeanScan = TimeSpan.FromSeconds(4), ErrorShare = 0.1, Sweeps = false });
        await simulated.CatchUpAsync();
        await simulated.Simulation.MoveToRedisAsync(redis.Database);
        await NoteChangesAsync(harbor);
        // Three exporters; the role is made for two.
        await harbor.Database.ExecuteAsync($"alter role {harbor.Role} connection limit 12");
        RepairingHarbor[] exporters = [await StartAsync(harbor, redis), await StartAsync(harbor, redis), await StartAsync(harbor, redis)];
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString) { Pooling = true, MaxPoolSize = 6 });
        await new JobServiceSeed(redis).PoolAsync();

        using var ends = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var step = new SemaphoreSlim(1);
        HashSet<long> lostByHarbor = [], edited = [];
        var working = WorkAsync(harbor, simulated, step, lostByHarbor, edited, ends.Token);
        var rounds = 0;
        while (rounds < MostRounds && await harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair where state = 'done' and task_id is not null") < LeastRepairs)
        {
            var random = new Random(Seed + ++rounds);
            var lost = await LoseAsync(source);
            for (var look = 0; look < 3; look++)
            {
                // Between two steps of the job service a job stands nowhere for a moment; a minute of real time would rule that out, the clock
                // of a test does not.
                await step.WaitAsync(Token);
                try
                {
                    await Task.WhenAll(exporters.Select(exporter => exporter.LookAsync()));
                }
                finally
                {
                    step.Release();
                }
                foreach (var exporter in exporters) exporter.Time.Advance(TimeSpan.FromSeconds(61));
            }
            var hooks = HooksAsync(source, redis, lost, random);
            await Task.WhenAll([hooks, .. exporters.Select(RepairAsync)]);
            Assert.False(working.IsFaulted, working.Exception?.ToString());
        }
        await ends.CancelAsync();
        await working;

        await TellAsync(harbor, simulated, rounds, clock, lostByHarbor, edited);
        await ProveAsync(harbor, lostByHarbor, edited);
        foreach (var exporter in exporters) await exporter.DisposeAsync();
    }

    /// <summary>Several exporters of one Harbor; caps are what a person would have to raise for so many.</summary>
    private static Task<RepairingHarbor> StartAsync(TestHarbor harbor, RedisServer redis) => RepairingHarbor.StartAsync(harbor: harbor, redis: redis,
        limits: limits => limits with { MaxPerRun = 200, MaxPerHour = 1_000_000, MaxPerDay = 1_000_000, MaxShare = 1 });

    /// <summary>Runs until a run finds nothing to do; a busy one tries again.</summary>
    private async Task RepairAsync(RepairingHarbor exporter)
    {
        for (var i = 0; i < 60; i++)
        {
            var result = await exporter.RunAsync();
            foreach (var outcome in result.Outcomes) Count($"repair {outcome.State} {outcome.Failure}");
            Count($"run {result.End}");
            Assert.True(result.End is RunEnd.Busy or RunEnd.Clean or RunEnd.Left, $"{result.End}: {result.Problem}");
            if (result.End != RunEnd.Busy && result.Outcomes.Count == 0) return;
            if (result.End == RunEnd.Busy) await Task.Delay(20, Token);
        }
    }

    /// <summary>Harbor at work in real time: scans, the loss of a pool, an outage of core, and now and then a scan that is lost for good.</summary>
    private static async Task WorkAsync(TestHarbor database, SimulatedHarbor simulated, SemaphoreSlim step, HashSet<long> lost, HashSet<long> edited, CancellationToken ends)
    {
        var random = new Random(Seed);
        var harbor = simulated.Simulation;
        List<long> tasks = [];
        for (var i = 0; ; i++)
        {
            // A step is not given up half way.
            await step.WaitAsync(CancellationToken.None);
            try
            {
                if (ends.IsCancellationRequested) return;
                await simulated.CatchUpAsync();
                if (i % 100 == 30) await harbor.ReplacePoolAsync(CancellationToken.None);
                if (i % 60 == 20) harbor.StopCore();
                if (i % 60 == 35) harbor.StartCore();
                if (i % 60 is < 20 or > 35) tasks.AddRange(await simulated.ScanAsync(1, FormattableString.Invariant($"race-{i}")));
                if (i % 5 == 2 && tasks[random.Next(tasks.Count)] is var one && harbor.IsRunning(one) && edited.Add(one))
                    await database.Database.ExecuteAsync($"update task set status = 'Error' where id = {one} and status = 'Running'");
                if (i % 10 == 5 && tasks[random.Next(tasks.Count)] is var task && harbor.IsRunning(task))
                {
                    lost.Add(task);
                    await harbor.LoseJobAsync(task, CancellationToken.None);
                }
            }
            finally
            {
                step.Release();
            }
            await Task.Delay(100, CancellationToken.None);
        }
    }

    /// <summary>Executions with one to three tasks whose jobs nothing knows; half of them ran when they were lost.</summary>
    private static async Task<Lost[]> LoseAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand($"""
            with executions as (
                insert into execution (vendor_type, vendor_id, status, trigger, extra_attrs, start_time, revision, update_time)
                select 'IMAGE_SCAN', 1, 'Running', 'MANUAL', json_build_object(), past, 0, past
                from generate_series(1, {Executions}), (select date_trunc('second', now() at time zone 'utc') - interval '5 hours' as past) times
                returning id, start_time)
            insert into task (execution_id, job_id, status, status_code, status_revision, status_message, run_count, extra_attrs, creation_time, start_time, update_time, end_time, vendor_type)
            select e.id, lpad(to_hex(e.id * 4 + n), 24, 'f'), case when ran then 'Running' else 'Pending' end, case when ran then 2 else 0 end,
                   case when ran then extract(epoch from e.start_time)::int else 0 end, '', case when ran then 1 else 0 end,
                   json_build_object('artifact_id', 1, 'report_uuids', json_build_array('race-' || e.id || '-' || n), 'robot_id', 1),
                   e.start_time, case when ran then e.start_time end, e.start_time, case when ran then timestamp '0001-01-01 00:00:00' end, 'IMAGE_SCAN'
            from executions e, generate_series(1, 1 + e.id % 3) n, lateral (select (e.id + n) % 2 = 0 as ran) was
            returning id::bigint, execution_id::bigint, status_revision::bigint, job_id
            """);
        await using var reader = await command.ExecuteReaderAsync(Token);
        List<Lost> lost = [];
        while (await reader.ReadAsync(Token)) lost.Add(new Lost(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetString(3)));
        return [.. lost];
    }

    /// <summary>For a part of the lost scans a hook comes after all: an end, a repeated sign of life, or a new run with its end; each may come again.</summary>
    private async Task HooksAsync(NpgsqlDataSource source, RedisServer redis, Lost[] lost, Random random)
    {
        var late = lost.OrderBy(_ => random.Next()).Take((int)(lost.Length * LateShare)).Select(task => (Task: task, Kind: random.Next(4), Pause: random.Next(12))).ToArray();
        await Task.WhenAll(late.Chunk((late.Length + 2) / 3).Select(async chunk =>
        {
            foreach (var (task, kind, pause) in chunk)
            {
                await Task.Delay(pause, Token);
                var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
                switch (kind)
                {
                    case 0:
                        await HookAsync(source, task, "Success", 3, task.Revision == 0 ? now : task.Revision);
                        await HookAsync(source, task, "Success", 3, task.Revision == 0 ? now : task.Revision);
                        break;
                    case 1:
                        await HookAsync(source, task, "Pending", 0, task.Revision == 0 ? now : task.Revision);
                        break;
                    case 2:
                        await HookAsync(source, task, "Error", 3, now);
                        break;
                    default:
                        await RunAnewAsync(source, redis, task, now);
                        break;
                }
            }
        }));
    }

    /// <summary>The job comes alive: first in Redis, as a job service does it, then by its hooks.</summary>
    private async Task RunAnewAsync(NpgsqlDataSource source, RedisServer redis, Lost task, long revision)
    {
        var jobs = new JobServiceSeed(redis);
        lock (_counting)
        {
            _live.Add((task.Id, revision));
            _alive.Add(task.Id);
        }
        await jobs.RecordAsync(task.Job, "Running", TimeSpan.Zero, acknowledged: "Running");
        await jobs.InProgressAsync(task.Job, TimeSpan.Zero);
        await HookAsync(source, task, "Running", 2, revision);
        await Task.Delay(50, Token);
        await HookAsync(source, task, "Success", 3, revision);
        await jobs.RecordAsync(task.Job, "Success", TimeSpan.Zero, acknowledged: "Success");
        foreach (var item in await redis.Database.ListRangeAsync($"{JobServiceSeed.Prefix}jobs:IMAGE_SCAN:{JobServiceSeed.Pool}:inprogress"))
            if (item.ToString().Contains(task.Job, StringComparison.Ordinal)) await redis.Database.ListRemoveAsync($"{JobServiceSeed.Prefix}jobs:IMAGE_SCAN:{JobServiceSeed.Pool}:inprogress", item);
    }

    /// <summary>One hook as core takes it: the fenced update, then the execution, in one transaction.</summary>
    private async Task HookAsync(NpgsqlDataSource source, Lost task, string status, int code, long revision)
    {
        await using var connection = await source.OpenConnectionAsync(Token);
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await using var update = new NpgsqlCommand(FencedSql, connection, transaction)
        {
            Parameters = { new() { Value = status }, new() { Value = code }, new() { Value = (int)revision }, new() { Value = (int)task.Id } },
        };
        Count(await update.ExecuteNonQueryAsync(Token) == 1 ? $"hook {status} taken" : $"hook {status} ignored");
        await RefreshAsync(connection, transaction, (int)task.Execution);
        await transaction.CommitAsync(Token);
    }

    /// <summary>Harbor's refresh of an execution: written only at the revision that was read, up to five tries.</summary>
    private async Task RefreshAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, int execution)
    {
        for (var i = 0; i < 5; i++)
        {
            await using var read = new NpgsqlCommand(DerivedSql, connection, transaction) { Parameters = { new() { Value = execution } } };
            await using var reader = await read.ExecuteReaderAsync(Token);
            Assert.True(await reader.ReadAsync(Token));
            var (revision, status, end) = (reader.GetInt64(0), reader.GetString(1), reader.GetValue(2));
            await reader.DisposeAsync();
            await using var write = new NpgsqlCommand(RefreshSql, connection, transaction)
            {
                Parameters =
                {
                    new() { Value = execution }, new() { Value = status },
                    new() { Value = end, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Timestamp }, new() { Value = (int)revision },
                },
            };
            if (await write.ExecuteNonQueryAsync(Token) == 1) return;
            Count("refresh tried again");
        }
        Assert.Fail("Core gave a refresh up.");
    }

    /// <summary>The database itself writes down every change of a task: who, and the row before and after.</summary>
    private static Task NoteChangesAsync(TestHarbor harbor) => harbor.Database.ExecuteAsync("""
        create schema race;
        create table race.change (n bigserial, who text, task_id bigint, old_status text, old_code int, old_revision bigint, old_update timestamp, new_status text, new_code int, new_revision bigint);
        create function race.note() returns trigger language plpgsql security definer as $$
        begin
            insert into race.change (who, task_id, old_status, old_code, old_revision, old_update, new_status, new_code, new_revision)
            values (session_user, old.id, old.status, old.status_code, old.status_revision, old.update_time, new.status, new.status_code, new.status_revision);
            return null;
        end $$;
        create trigger note after update on task for each row execute function race.note();
        """);

    private async Task ProveAsync(TestHarbor harbor, HashSet<long> lostByHarbor, HashSet<long> edited)
    {
        async Task NoneAsync(string what, string from)
        {
            var found = await harbor.Database.ScalarAsync<string>($"select coalesce(string_agg(x::text, E'\\n'), '') from (select * from {from} limit 20) x");
            Assert.True(found.Length == 0, $"{what}:{Environment.NewLine}{found}");
        }

        var ours = $"(select * from race.change where who = '{harbor.RepairRole}') c";
        await NoneAsync("A scan that was over was overwritten", $"{ours} where old_code > 2 or (old_status not in ('Pending', 'Running') and new_status <> old_status)");
        await NoneAsync("A repair left a code or a revision", $"{ours} where new_code <> 3 or new_revision is distinct from old_revision");
        await NoneAsync("A row was repaired twice", $"(select task_id, count(*) from {ours} group by task_id having count(*) > 1) twice");
        await NoneAsync("A line of the audit without its change, or a change without its line", $"""
            (select c.task_id as changed, r.task_id as told, r.id
             from {ours} full join (select * from harbor_scan.repair where state = 'done' and task_id is not null) r
               on r.task_id = c.task_id and r.before->'task'->>'status' = c.old_status and (r.before->'task'->>'status_revision')::bigint = c.old_revision
              and (r.before->'task'->>'update_time')::timestamp = c.old_update and r.after->'task'->>'status' = c.new_status) lines
            where changed is null or told is null
            """);
        await NoneAsync("Something is left half way", "(select id from harbor_scan.repair where state = 'intended') intents");
        await NoneAsync("A scan that ran anew did not come to its own end", $"task where id in ({In(_alive)}) and not (status = 'Success' and status_code = 3)");
        await NoneAsync("An end that core took is gone", """
            (select distinct on (task_id) task_id, new_status from race.change where new_code = 3 and who = current_user order by task_id, n desc) ends
            join task t on t.id = ends.task_id where t.status_code = 3 and t.status <> ends.new_status
            """);
        // Of the simulator's own scans only those that it lost for good were repaired.
        var repaired = await harbor.Database.ScalarAsync<string>($"""
            select coalesce(string_agg(c.task_id::text, ' '), '')
            from {ours} join task t on t.id = c.task_id where t.job_id not like 'fffff%'
            """);
        Assert.Empty(repaired.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => long.Parse(id, CultureInfo.InvariantCulture)).Except(lostByHarbor));
        var live = await harbor.Database.ScalarAsync<string>($"select coalesce(string_agg(task_id || ' ' || old_revision, ','), '') from {ours}");
        Assert.Empty(live.Split(',').Intersect(_live.Select(one => FormattableString.Invariant($"{one.Task} {one.Revision}"))));
        await NoneAsync("An execution contradicts its tasks", """
            (select e.id, e.status, string_agg(t.status, ' ') as tasks
             from execution e join task t on t.execution_id = e.id
             where t.job_id like 'fffff%'
             group by e.id, e.status
             having e.status is distinct from case when bool_or(t.status in ('Pending', 'Running')) then 'Running' when bool_or(t.status = 'Error') then 'Error'
                                                   when bool_or(t.status = 'Stopped') then 'Stopped' else 'Success' end) executions
            """);
        Assert.True(await harbor.Database.ScalarAsync<long>($"select count(*) from {ours}") >= LeastRepairs);
        Assert.NotEmpty(edited.Except(lostByHarbor));
        // A race that nobody ever lost would prove nothing.
        Assert.True(_happened.GetValueOrDefault("repair failed lost_race") > 0, "No repair ever lost a race.");
        Assert.True(_happened.GetValueOrDefault("hook Success ignored") > 0, "No late hook ever met a repaired row.");
    }

    private async Task TellAsync(TestHarbor harbor, SimulatedHarbor simulated, int rounds, Stopwatch clock, HashSet<long> lost, HashSet<long> edited)
    {
        output.WriteLine($"Seed {Seed}, {rounds} rounds in {clock.Elapsed.TotalSeconds:0} s.");
        foreach (var (what, number) in _happened) output.WriteLine($"  {what} {number}");
        foreach (var (what, number) in simulated.Simulation.Happened) output.WriteLine($"  simulator: {what} {number}");
        output.WriteLine(await harbor.Database.ScalarAsync<string>($"""
            select format('  simulator: %s edited by hand while they lived, %s of them over by their own hook; {lost.Count} lost for good; %s run more than once',
                          {edited.Count}, count(*) filter (where id in ({In(edited)}) and status_code = 3), count(*) filter (where run_count > 1))
            from task where job_id not like 'fffff%'
            """));
        output.WriteLine(await harbor.Database.ScalarAsync<string>(
            "select 'audit: ' || string_agg(line, ', ') from (select concat_ws(' ', count(*), action, state, failure) as line from harbor_scan.repair group by action, state, failure order by 1) lines"));
    }

    private static string In(IEnumerable<long> ids) => string.Join(", ", ids.DefaultIfEmpty(0));

    private void Count(string what)
    {
        lock (_counting) _happened[what.Trim()] = _happened.GetValueOrDefault(what.Trim()) + 1;
    }

    /// <summary>A lost scan as it was made.</summary>
    private sealed record Lost(long Id, long Execution, long Revision, string Job);
}

using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Npgsql;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Remediation.Execution;

/// <summary>
/// The exporter is killed at every statement of a run, before it and after it, and around every call of Harbor's API. The statements are counted
/// on the wire, so that none is left out when a run changes.
/// </summary>
public sealed class KilledRunTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>Every line of the audit that is done has its row as its after image says, and every row that changed has such a line.</summary>
    private const string Contradictions = """
        select coalesce(string_agg(told, E'\n'), '')
        from (
            select concat('task ', t.id, ' is ', t.status, ' ', t.status_code, ' with ', count(r.id), ' lines') as told
            from task t left join harbor_scan.repair r
              on r.task_id = t.id and r.state = 'done' and r.after->'task'->>'status' = t.status and (r.after->'task'->>'status_code')::int = t.status_code
            where t.status_code = 3 and t.status_message <> ''
            group by t.id, t.status, t.status_code
            having count(r.id) <> 1
            union all
            select concat('line ', r.id, ' says done of task ', t.id, ', which is ', t.status, ' ', t.status_code)
            from harbor_scan.repair r join task t on t.id = r.task_id
            where r.state = 'done' and (r.after->'task'->>'status' <> t.status or (r.after->'task'->>'status_code')::int <> t.status_code)
            union all
            select concat('execution ', e.id, ' is ', e.status, ' revision ', e.revision, ' with ', count(distinct r.after->'execution'->>'revision'), ' images')
            from execution e left join harbor_scan.repair r on r.execution_id = e.id and r.state = 'done' and r.after->'execution'->>'status' is not null
            group by e.id, e.status, e.revision
            having count(distinct r.after->'execution'->>'revision') <> e.revision and bool_and(r.action is distinct from 'stop_job')
        ) wrong
        """;

    [Fact]
    public async Task Killed_at_any_statement_each_row_is_untouched_or_repaired_with_its_line_and_the_next_run_does_the_rest()
    {
        await using var world = await World.CreateAsync();
        var statements = await world.KillEverywhereAsync(null, async (kill, tasks) =>
        {
            Assert.Equal("", await world.AskAsync(Contradictions));
            await world.RestartAsync(null);
            Assert.Equal("", await world.AskAsync(Contradictions));
            Assert.Equal("Error 3|Error 3|Success 3|Stopped 3", await world.TasksAsync(tasks));
            Assert.Equal("Error|Success|Stopped|Success", await world.AskAsync("select string_agg(status, '|' order by id) from execution"));
            Assert.Equal(0L, await world.CountAsync("select count(*) from harbor_scan.repair where state = 'intended'"));
        });
        output.WriteLine($"{statements} statements, each cut before and after: {2 * statements} kills.");
        Assert.InRange(statements, 20, 200);
    }

    [Fact]
    public async Task Killed_around_any_call_of_Harbors_API_each_act_has_its_intent_and_each_intent_gets_its_outcome()
    {
        await using var world = await World.CreateAsync();
        var kills = 0;
        foreach (var afterActing in new[] { false, true })
        {
            for (var call = 1; ; call++)
            {
                var tasks = await world.BreakAsync();
                var calls = 0;
                var isKilled = false;
                async Task<ActOutcome> ActAsync(PlannedRepair repair, CancellationToken cancellationToken)
                {
                    var dies = ++calls == call;
                    if (!dies || afterActing) await world.StopAsync(repair.TaskId!.Value);
                    if (!dies) return new ActOutcome(RepairState.Done, null);
                    isKilled = true;
                    throw new KilledException();
                }

                await using (var harbor = await world.StartAsync(ActAsync, throughProxy: false))
                {
                    await harbor.SeeTwiceAsync();
                    try
                    {
                        await harbor.RunAsync();
                    }
                    catch (KilledException)
                    {
                        // What a killed process leaves is looked at now.
                    }
                }
                if (!isKilled) break;
                kills++;
                Assert.Equal(0L, await world.CountAsync("""
                    select count(*) from task t
                    where t.status = 'Stopped' and t.status_code = 3 and not exists (select from harbor_scan.repair r where r.task_id = t.id and r.state in ('intended', 'done'))
                    """));
                await world.RestartAsync(async (repair, _) =>
                {
                    await world.StopAsync(repair.TaskId!.Value);
                    return new ActOutcome(RepairState.Done, null);
                });
                Assert.Equal(0L, await world.CountAsync("select count(*) from harbor_scan.repair where state = 'intended'"));
                Assert.Equal(afterActing && call == 1 ? "Stopped 3|Pending 0|Success 3|Stopped 3" : afterActing ? "Stopped 3|Stopped 3|Success 3|Stopped 3" : call == 1 ? "Pending 0|Pending 0|Success 3|Stopped 3" : "Stopped 3|Pending 0|Success 3|Stopped 3", await world.TasksAsync(tasks));
                // A call of which nothing is to be seen is not repeated at once, but said to be interrupted; so is one that was never made.
                Assert.Equal(afterActing && call == 2 ? 0 : afterActing || call == 2 ? 1 : 2, await world.CountAsync("select count(*) from harbor_scan.repair where state = 'failed' and failure = 'interrupted'"));
            }
        }
        output.WriteLine($"{kills} kills.");
        Assert.Equal(4, kills);
    }

    [Fact]
    public async Task With_the_API_each_kill_at_a_statement_leaves_no_intent_open_after_the_next_run()
    {
        await using var world = await World.CreateAsync();
        async Task<ActOutcome> ActAsync(PlannedRepair repair, CancellationToken cancellationToken)
        {
            await world.StopAsync(repair.TaskId!.Value);
            return new ActOutcome(RepairState.Done, null);
        }

        var statements = await world.KillEverywhereAsync(ActAsync, async (_, tasks) =>
        {
            await world.RestartAsync(ActAsync);
            Assert.Equal(0L, await world.CountAsync("select count(*) from harbor_scan.repair where state = 'intended'"));
            // What was interrupted has cooled down.
            await world.AgeAsync();
            await world.RestartAsync(ActAsync);
            Assert.Equal("Stopped 3|Stopped 3|Success 3|Stopped 3", await world.TasksAsync(tasks));
            Assert.Equal(0L, await world.CountAsync("select count(*) from harbor_scan.repair where state = 'intended'"));
            Assert.Equal(0L, await world.CountAsync($"""
                select count(*) from task t
                where t.id in ({string.Join(',', tasks)}) and (select count(*) from harbor_scan.repair r where r.task_id = t.id and r.state = 'done') <> 1
                """));
        });
        output.WriteLine($"{statements} statements, each cut before and after: {2 * statements} kills.");
        Assert.InRange(statements, 20, 200);
    }

    private sealed class KilledException : Exception;

    /// <summary>One database and one Redis, broken anew for each kill.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly TestHarbor _harbor;
        private readonly RedisServer _redis;
        private readonly CuttingProxy _proxy;
        private readonly NpgsqlDataSource _owner;

        private World(TestHarbor harbor, RedisServer redis, CuttingProxy proxy, NpgsqlDataSource owner) => (_harbor, _redis, _proxy, _owner) = (harbor, redis, proxy, owner);

        public static async Task<World> CreateAsync()
        {
            var harbor = await TestHarbor.CreateAsync();
            var redis = await RedisServer.StartAsync();
            await new JobServiceSeed(redis).UpAsync();
            await harbor.GrantRemediationAsync();
            var server = new NpgsqlConnectionStringBuilder(harbor.Database.ConnectionString);
            return new World(harbor, redis, new CuttingProxy(server.Host!, server.Port), NpgsqlDataSource.Create(harbor.Database.ConnectionString));
        }

        /// <summary>Two lost scans in one execution, a finished one that is unreported, a wrong code, and an execution that is not refreshed.</summary>
        public async Task<long[]> BreakAsync()
        {
            await _harbor.Database.ExecuteAsync("truncate execution, task, scan_report, harbor_scan.repair restart identity cascade");
            var seed = new Seed(_harbor);
            var lost = await seed.ExecutionAsync(started: 5 * Hour);
            var first = await seed.TaskAsync(lost, created: 5 * Hour, jobId: "d318c1b17dff242a33f02541");
            var second = await seed.TaskAsync(lost, created: 5 * Hour, jobId: "d318c1b17dff242a33f02542");
            var mixed = await seed.ExecutionAsync(started: 4 * Hour);
            await seed.ReportAsync("stored", "sha256:stored", stored: true);
            var unreported = await seed.TaskAsync(mixed, status: "Running", revision: RevisionAgo(4 * Hour), created: 4 * Hour, update: Ago(4 * Hour),
                jobId: "d318c1b17dff242a33f02543", extraAttributes: """{"artifact_id":1,"report_uuids":["stored"],"robot_id":1}""");
            var stopped = await seed.ExecutionAsync(status: "Stopped", started: 3 * Hour, end: Ago(2 * Hour));
            var code = await seed.TaskAsync(stopped, status: "Stopped", code: 0, created: 3 * Hour, jobId: "");
            var stale = await seed.ExecutionAsync(started: 3 * Hour);
            await seed.TaskAsync(stale, status: "Success", revision: RevisionAgo(3 * Hour), created: 3 * Hour, update: Ago(2 * Hour), end: Ago(2 * Hour));
            return [first, second, unreported, code];
        }

        public async Task<RepairingHarbor> StartAsync(Act? act, bool throughProxy) => await RepairingHarbor.StartAsync(
            act: act, harbor: _harbor, redis: _redis, changes: throughProxy ? [(Setting.Names.DatabaseHost, "127.0.0.1"), (Setting.Names.DatabasePort, $"{_proxy.Port}")] : []);

        /// <summary>Cuts one run after the other, each at the next statement, until a run comes through.</summary>
        /// <returns>How many statements a whole run has.</returns>
        public async Task<int> KillEverywhereAsync(Act? act, Func<int, long[], Task> afterwards)
        {
            var statements = 0;
            foreach (var cut in Enum.GetValues<Cut>())
            {
                for (var statement = 1; ; statement++)
                {
                    var tasks = await BreakAsync();
                    await using (var harbor = await StartAsync(act, throughProxy: true))
                    {
                        _proxy.CutAt(int.MaxValue, cut);
                        await harbor.SeeTwiceAsync();
                        _proxy.CutAt(statement, cut);
                        await harbor.RunAsync();
                        if (!_proxy.HasCut)
                        {
                            statements = Math.Max(statements, _proxy.Statements);
                            break;
                        }
                    }
                    _proxy.CutAt(int.MaxValue, cut);
                    await afterwards(statement, tasks);
                }
            }
            return statements;
        }

        /// <summary>A new exporter, long after the kill: intents are old enough to be resolved, and what failed has cooled down.</summary>
        public async Task RestartAsync(Act? act)
        {
            await _harbor.Database.ExecuteAsync("update harbor_scan.repair set at = at - interval '3 minutes' where state = 'intended'");
            await using var harbor = await StartAsync(act, throughProxy: false);
            await harbor.SeeTwiceAsync();
            await harbor.RunAsync();
        }

        /// <summary>What Harbor does to the row of a job that its job service does not know.</summary>
        public Task StopAsync(long task) => _harbor.Database.ExecuteAsync($"""
            update task set status = 'Stopped', status_code = 3, update_time = now() at time zone 'utc', end_time = now() at time zone 'utc' where id = {task};
            """);

        /// <summary>Two hours pass for the audit.</summary>
        public Task AgeAsync() => _harbor.Database.ExecuteAsync("update harbor_scan.repair set at = at - interval '2 hours', ended_at = ended_at - interval '2 hours'");

        public Task<string> TasksAsync(long[] tasks) => AskAsync($"select string_agg(concat(status, ' ', status_code), '|' order by id) from task where id in ({string.Join(',', tasks)})");

        public Task<string> AskAsync(string sql) => _harbor.Database.ScalarAsync<string>(sql);

        public Task<long> CountAsync(string sql) => _harbor.Database.ScalarAsync<long>(sql);

        public async ValueTask DisposeAsync()
        {
            await _owner.DisposeAsync();
            await _proxy.DisposeAsync();
            await _redis.DisposeAsync();
            await _harbor.DisposeAsync();
        }
    }
}

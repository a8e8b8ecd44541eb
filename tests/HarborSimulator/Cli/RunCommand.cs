using System.CommandLine;
using System.Globalization;
using HarborSimulator.Api;
using HarborSimulator.Schema;
using Npgsql;
using StackExchange.Redis;

namespace HarborSimulator.Cli;

/// <summary><c>harbor-simulator run</c>: a history up to now, then Harbor in real time.</summary>
internal static class RunCommand
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private const int TicksPerReport = 5;
    private const int ArtifactsAtFirst = 120;

    public static Command Create()
    {
        var database = SharedOptions.Database();
        var release = SharedOptions.Release();
        var redis = new Option<string?>("--redis") { Description = "The job service's Redis in StackExchange's words: host:port,defaultDatabase=1. Without it only rows are written" };
        var seed = new Option<int>("--seed") { DefaultValueFactory = _ => 1, Description = "Same seed, same history" };
        var history = Duration("--history", "30h", "How far the history reaches back");
        var faults = new Option<string>("--faults") { DefaultValueFactory = _ => "all", Description = $"all, none, or of {string.Join(", ", HistoryFault.All.Select(fault => fault.Name))}" };
        var speed = new Option<double>("--speed") { DefaultValueFactory = _ => 1, Description = "Simulated seconds per second after the history; above 1 its times run ahead of the database's clock" };
        var limit = new Option<string?>("--for") { Description = "End after this time, such as 10m; else at SIGINT or SIGTERM" };
        limit.Validators.Add(result => Check(result.GetValueOrDefault<string?>(), "--for", result.AddError));
        var rate = new Option<double>("--rate") { DefaultValueFactory = _ => 60, Description = "Pushes per hour" };
        var api = new Option<string?>("--api")
        {
            Description = $"Serve Harbor's API v2.0 at this URL after the history, such as http://127.0.0.1:8080 (port 0: a free one), to {HarborApiUser.Administrator.Name} with {HarborApiUser.Administrator.Password}",
        };
        api.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } url && AddressOf(url) is null) result.AddError($"--api: {url} is no http URL of an IP address");
        });
        var command = new Command("run", "Play Harbor: create its tables when missing, write a history up to now, go on in real time.")
        {
            database, redis, release, seed, history, faults, speed, limit, rate, api,
        };
        command.SetAction((result, token) => RunAsync(
            new Plan(result.GetRequiredValue(database), result.GetValue(redis), HarborRelease.Parse(result.GetRequiredValue(release)), result.GetValue(seed),
                Period.Parse(result.GetRequiredValue(history)), FaultsOf(result.GetRequiredValue(faults)), result.GetValue(speed),
                result.GetValue(limit) is { } text ? Period.Parse(text) : null, result.GetValue(rate),
                result.GetValue(api) is { } url ? AddressOf(url) : null),
            TimeProvider.System, token));
        return command;
    }

    private static async Task<int> RunAsync(Plan plan, TimeProvider clock, CancellationToken cancellationToken)
    {
        try
        {
            await PlayAsync(plan, clock, cancellationToken);
        }
        catch (Exception error) when (cancellationToken.IsCancellationRequested && error is (OperationCanceledException or NpgsqlException or RedisException))
        {
            // A signal is a normal end, in the middle of the history too.
        }
        Console.WriteLine("stopped");
        return 0;
    }

    private static async Task PlayAsync(Plan plan, TimeProvider clock, CancellationToken cancellationToken)
    {
        await using var dataSource = NpgsqlDataSource.Create(plan.Database);
        var wasOurs = await SimulatorMark.PrepareAsync(dataSource, plan.Release, cancellationToken);
        await using var redis = plan.Redis is null ? null : await ConnectionMultiplexer.ConnectAsync(plan.Redis);
        if (redis is not null) await SimulatorMark.PrepareAsync(redis.GetDatabase(), wasOurs);

        var began = clock.GetTimestamp();
        var simulation = await PlayHistoryAsync(dataSource, plan, clock.GetUtcNow().UtcDateTime, cancellationToken);
        if (redis is not null) await simulation.MoveToRedisAsync(redis.GetDatabase());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Harbor {plan.Release}: {plan.History.TotalHours:0} h of history in {clock.GetElapsedTime(began).TotalSeconds:0.0} s, {simulation.Artifacts.Count} artifacts; real time from here"));
        await using var api = plan.Api is { } address ? await HarborApiServer.StartAsync(simulation, new HarborApiSettings { Listen = address }, cancellationToken) : null;
        if (api is not null) Console.WriteLine($"Harbor's API v2.0 at {api.Address}");
        await FollowAsync(simulation, api, plan, clock, cancellationToken);
    }

    private static async Task<HarborSimulation> PlayHistoryAsync(NpgsqlDataSource dataSource, Plan plan, DateTime now, CancellationToken cancellationToken)
    {
        var from = now - plan.History;
        var oldest = plan.Faults.Select(fault => fault.Before).Append(plan.History).Max();
        var settings = new SimulationSettings
        {
            Start = now - oldest - TimeSpan.FromHours(1),
            Seed = plan.Seed,
            PushesPerHour = plan.Rate,
            PushesFrom = from,
            ScanAllAt = TimeOnly.FromDateTime(now - TimeSpan.FromHours(20)),
            BackgroundJobs = true,
        };
        var simulation = await HarborSimulation.StartAsync(dataSource, plan.Release, settings, cancellationToken: cancellationToken);
        List<(DateTime Time, Func<Task> Make)> acts =
        [
            (from, () => PushFirstAsync(simulation, cancellationToken)),
            .. plan.Faults.Select(fault => (now - fault.Before, (Func<Task>)(() => fault.MakeAsync(simulation, cancellationToken)))),
        ];
        foreach (var (time, make) in acts.OrderBy(act => act.Time))
        {
            await simulation.AdvanceToAsync(time, cancellationToken);
            await make();
        }
        foreach (var fault in plan.Faults) Console.WriteLine($"fault {fault.Name}: {fault.Leaves}");
        await simulation.AdvanceToAsync(now, cancellationToken);
        return simulation;
    }

    private static async Task PushFirstAsync(HarborSimulation simulation, CancellationToken cancellationToken)
    {
        string[] projects = ["library", "platform", "payments", "web", "data"];
        for (var i = 0; i < ArtifactsAtFirst; i++)
            await simulation.PushAsync(projects[i % projects.Length], "base", FormattableString.Invariant($"0.{i}"), i % 10 == 9 ? 2 : 0, cancellationToken);
    }

    private static async Task FollowAsync(HarborSimulation simulation, HarborApiServer? api, Plan plan, TimeProvider clock, CancellationToken cancellationToken)
    {
        var start = simulation.Now;
        var began = clock.GetTimestamp();
        var told = simulation.Happened.ToDictionary(kind => kind.Key, kind => kind.Value, StringComparer.Ordinal);
        for (var tick = 1; ; tick++)
        {
            var elapsed = clock.GetElapsedTime(began);
            var isOver = plan.Limit is { } limit && elapsed >= limit;
            var reports = tick % TicksPerReport == 0 || isOver;
            // Requests to the API come in between.
            if (api is null) await StepAsync(simulation);
            else await api.RunAsync(StepAsync, cancellationToken);
            if (isOver) return;
            await Task.Delay(Tick, clock, cancellationToken);

            async Task StepAsync(HarborSimulation harbor)
            {
                await harbor.AdvanceToAsync(start + elapsed * plan.Speed, cancellationToken);
                if (reports) Report(harbor, told);
            }
        }
    }

    private static void Report(HarborSimulation simulation, Dictionary<string, long> told)
    {
        foreach (var (kind, count) in simulation.Happened.ToList())
        {
            if (count == told.GetValueOrDefault(kind)) continue;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{simulation.Now:HH:mm:ss} {kind} {count - told.GetValueOrDefault(kind)}"));
            told[kind] = count;
        }
    }

    private static Uri? AddressOf(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttp && address.HostNameType is UriHostNameType.IPv4 or UriHostNameType.IPv6 ? address : null;

    private static HistoryFault[] FaultsOf(string names) => names switch
    {
        "all" => [.. HistoryFault.All],
        "none" => [],
        _ => [.. names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(name =>
            HistoryFault.All.FirstOrDefault(fault => fault.Name == name) ?? throw new CommandException($"--faults: {name} is no fault"))],
    };

    private static Option<string> Duration(string name, string standard, string description)
    {
        var option = new Option<string>(name) { DefaultValueFactory = _ => standard, Description = description };
        option.Validators.Add(result => Check(result.GetValueOrDefault<string>(), name, result.AddError));
        return option;
    }

    private static void Check(string? text, string name, Action<string> fail)
    {
        try
        {
            if (text is not null) Period.Parse(text);
        }
        catch (FormatException error)
        {
            fail($"{name}: {error.Message}");
        }
    }

    private sealed record Plan(string Database, string? Redis, HarborRelease Release, int Seed, TimeSpan History, IReadOnlyList<HistoryFault> Faults,
        double Speed, TimeSpan? Limit, double Rate, Uri? Api);
}

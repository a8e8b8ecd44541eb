using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using HarborScanExporter.Benchmarks;

var native = new Option<FileInfo>("--native") { Description = "The published binary.", Required = true, Recursive = true };
native.AcceptExistingOnly();
var postgres = new Option<string>("--postgres") { Description = "Folder of initdb, pg_ctl and postgres.", Recursive = true, DefaultValueFactory = _ => PrivatePostgres.InstalledBinaries() };

var sizes = new Option<int[]>("--sizes", "--tasks")
{
    Description = "Sizes of Harbor's tables to measure, in tasks, separated by commas; as many executions.",
    DefaultValueFactory = _ => [10_000, 100_000, 1_000_000, 3_000_000, 10_000_000],
    CustomParser = Numbers,
};
var scrapes = new Option<int>("--scrapes") { Description = "Scrapes in the steady state at each size.", DefaultValueFactory = _ => 300 };
var memoryScrapes = new Option<int>("--memory-scrapes") { Description = "Scrapes for the memory; ten times --scrapes where that is given.", DefaultValueFactory = _ => 0 };
var readme = new Option<FileInfo?>("--readme") { Description = "File to write the figures to, beside printing them; the drawing is put beside it." };
scrapes.Validators.Add(given => Least(given, 3, "below that there is no median"));
memoryScrapes.Validators.Add(given => Least(given, 10, "below that there is no first and last"));
var only = new Option<string?>("--only") { Description = "Measures this part alone: redis." };
only.AcceptOnlyFromAmong("redis");

var soakScrapes = new Option<int>("--scrapes") { Description = "Scrapes in all.", DefaultValueFactory = _ => 100_000 };
soakScrapes.Validators.Add(given => Least(given, SoakJudge.LeastSamples, "below that there are no quarters to compare"));
var rate = new Option<int>("--rate") { Description = "Pushes per hour of the simulated Harbor.", DefaultValueFactory = _ => 120 };
var set = new Option<string[]>("--set") { Description = "A setting of the exporter, as NAME=VALUE; may be given often." };
set.Validators.Add(given =>
{
    foreach (var token in given.Tokens.Where(token => !token.Value.Contains('=', StringComparison.Ordinal))) given.AddError($"--set: {token.Value} is not NAME=VALUE.");
});
var soak = new Command("soak", "Scrapes many times while a simulated Harbor lives on, and looks for what grows.") { soakScrapes, rate, set };
soak.SetAction((parsed, cancellationToken) => RunAsync(
    () => new Soak(parsed.GetRequiredValue(native).FullName, parsed.GetValue(soakScrapes), parsed.GetValue(rate), Settings(parsed.GetValue(set) ?? []))
        .RunAsync(parsed.GetValue(postgres)!, cancellationToken), cancellationToken));

var seconds = new Option<int>("--seconds") { Description = "How long each attack lasts.", DefaultValueFactory = _ => 30 };
seconds.Validators.Add(given => Least(given, 5, "below that nothing happens"));
var attack = new Command("attack", "Attacks the exporter from this machine in the memory of the shipped manifests, and looks at what others notice.") { seconds };
attack.SetAction((parsed, cancellationToken) => RunAsync(
    () => new UnderAttack(parsed.GetRequiredValue(native).FullName, parsed.GetValue(seconds)).RunAsync(parsed.GetValue(postgres)!, cancellationToken), cancellationToken));

var command = new RootCommand("Measures what one scrape costs, by the size of Harbor's tables.") { native, postgres, sizes, scrapes, memoryScrapes, readme, only, soak, attack };
command.SetAction((parsed, cancellationToken) => RunAsync(async () =>
{
    var forMemory = parsed.GetValue(memoryScrapes) is > 0 and var given ? given : parsed.GetResult(scrapes) is { Implicit: false } ? 10 * parsed.GetValue(scrapes) : MemoryBenchmark.UsualScrapes;
    var plan = new BenchmarkPlan(parsed.GetValue(sizes)!, parsed.GetValue(scrapes), forMemory, parsed.GetRequiredValue(native).FullName);
    await using (var server = await PrivatePostgres.StartAsync(parsed.GetValue(postgres)!))
    {
        if (parsed.GetValue(only) is null) await plan.RunAsync(server, cancellationToken);
        else await plan.Queue.RunAsync(server, cancellationToken);
    }
    var file = parsed.GetValue(readme);
    // The part that was not measured stays as it stands in the file.
    var main = plan.ToMarkdown();
    var section = plan.Queue.ToMarkdown();
    Console.Write(main + Environment.NewLine + section);
    if (file is null) return plan.Missed;
    if (main.Length == 0 && file.Exists) main = (await File.ReadAllTextAsync(file.FullName, cancellationToken)).Split(JobServiceBenchmark.Heading)[0];
    await File.WriteAllTextAsync(file.FullName, main.TrimEnd() + Environment.NewLine + Environment.NewLine + section.TrimEnd() + Environment.NewLine, cancellationToken);
    if (plan.ToSvg() is { } drawing) await File.WriteAllTextAsync(Path.Combine(file.DirectoryName!, BenchmarkReport.Plot), drawing, cancellationToken);
    return plan.Missed;
}, cancellationToken));
// The servers are stopped and their files removed before the process ends, which takes a while where they are large.
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(2) });

static async Task<int> RunAsync(Func<Task<IReadOnlyList<string>>> run, CancellationToken cancellationToken)
{
    try
    {
        var wrong = await run();
        foreach (var line in wrong) await Console.Error.WriteLineAsync($"Missed: {line}");
        return wrong.Count == 0 ? 0 : 1;
    }
    catch (OperationCanceledException error)
    {
        // A scrape without an answer ends here too, and must not look like a run that somebody stopped.
        await Console.Error.WriteLineAsync(cancellationToken.IsCancellationRequested ? "Stopped." : $"No answer: {error}");
        return 1;
    }
    catch (Exception error) when (error is HttpRequestException or InvalidOperationException or Npgsql.NpgsqlException)
    {
        await Console.Error.WriteLineAsync($"Nothing was written: {error}");
        return 1;
    }
}

static Dictionary<string, string> Settings(string[] given) =>
    given.Select(word => word.Split('=', 2)).ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);

static int[] Numbers(ArgumentResult given)
{
    List<int> numbers = [];
    foreach (var word in given.Tokens.SelectMany(token => token.Value.Split(',')))
    {
        if (int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= HarborRows.Least and <= 50_000_000) numbers.Add(number);
        else given.AddError($"--sizes: {word} is no number from {HarborRows.Least} to 50000000.");
    }
    return [.. numbers];
}

static void Least(OptionResult given, int least, string reason)
{
    if (given.Implicit || given.GetValueOrDefault<int>() >= least) return;
    given.AddError($"{given.Option.Name} must be at least {least}: {reason}.");
}

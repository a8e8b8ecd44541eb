using System.CommandLine;
using HarborScanExporter.Benchmarks;

var tasks = new Option<int>("--tasks") { Description = "Tasks, and as many executions.", DefaultValueFactory = _ => 1_000_000 };
var scrapes = new Option<int>("--scrapes") { Description = "Warm scrapes of the main measurement.", DefaultValueFactory = _ => 30 };
var native = new Option<FileInfo?>("--native") { Description = "The published binary; without it only the exporter in this process is measured." };
var postgres = new Option<string>("--postgres") { Description = "Folder of initdb, pg_ctl and postgres.", DefaultValueFactory = _ => PrivatePostgres.InstalledBinaries() };
var readme = new Option<FileInfo?>("--readme") { Description = "File to write the figures to, beside printing them." };

tasks.Validators.Add(given => Least(given, 5_000, "below that there is no room for the open ones"));
scrapes.Validators.Add(given => Least(given, 3, "below that there is no median"));

var only = new Option<string?>("--only") { Description = "Measures this part alone: redis." };
only.AcceptOnlyFromAmong("redis");

var command = new RootCommand("Measures what one scrape costs on a Harbor with many scans.") { tasks, scrapes, native, postgres, readme, only };
command.SetAction(async (parsed, cancellationToken) =>
{
    var plan = new BenchmarkPlan(parsed.GetValue(tasks), parsed.GetValue(scrapes), parsed.GetValue(native)?.FullName);
    await using var server = await PrivatePostgres.StartAsync(parsed.GetValue(postgres)!);
    var evidence = new JobServiceBenchmark(plan.Native);
    BenchmarkReport? report = null;
    try
    {
        if (parsed.GetValue(only) is null) report = await plan.RunAsync(server, cancellationToken);
        await evidence.RunAsync(server, cancellationToken);
    }
    catch (OperationCanceledException error)
    {
        // A scrape without an answer ends here too, and must not look like a run that somebody stopped.
        await Console.Error.WriteLineAsync(cancellationToken.IsCancellationRequested ? "Stopped." : $"No answer: {error}");
        return 1;
    }
    var file = parsed.GetValue(readme);
    // The part that was not measured stays as it stands in the file.
    var main = report?.ToMarkdown() + (report is null ? "" : Environment.NewLine);
    if (report is null && file is { Exists: true }) main = (await File.ReadAllTextAsync(file.FullName, cancellationToken)).Split(JobServiceBenchmark.Heading)[0];
    var section = evidence.ToMarkdown();
    Console.Write(report is null ? section : main + section);
    if (file is not null) await File.WriteAllTextAsync(file.FullName, main.TrimEnd() + Environment.NewLine + Environment.NewLine + section.TrimEnd() + Environment.NewLine, cancellationToken);
    string[] beyond = [.. report?.Missed ?? [], .. evidence.Missed];
    foreach (var missed in beyond) await Console.Error.WriteLineAsync($"Beyond its limit: {missed}");
    return beyond.Length == 0 ? 0 : 1;
});
return await command.Parse(args).InvokeAsync();

static void Least(System.CommandLine.Parsing.OptionResult given, int least, string reason)
{
    if (given.Implicit || given.GetValueOrDefault<int>() >= least) return;
    given.AddError($"{given.Option.Name} must be at least {least}: {reason}.");
}

using System.CommandLine;
using HarborScanExporter.Benchmarks;

var tasks = new Option<int>("--tasks") { Description = "Tasks, and as many executions.", DefaultValueFactory = _ => 1_000_000 };
var scrapes = new Option<int>("--scrapes") { Description = "Warm scrapes of the main measurement.", DefaultValueFactory = _ => 30 };
var native = new Option<FileInfo?>("--native") { Description = "The published binary; without it only the exporter in this process is measured." };
var postgres = new Option<string>("--postgres") { Description = "Folder of initdb, pg_ctl and postgres.", DefaultValueFactory = _ => PrivatePostgres.InstalledBinaries() };
var readme = new Option<FileInfo?>("--readme") { Description = "File to write the figures to, beside printing them." };

tasks.Validators.Add(given => Least(given, 5_000, "below that there is no room for the open ones"));
scrapes.Validators.Add(given => Least(given, 3, "below that there is no median"));

var command = new RootCommand("Measures what one scrape costs on a Harbor with many scans.") { tasks, scrapes, native, postgres, readme };
command.SetAction(async (parsed, cancellationToken) =>
{
    var plan = new BenchmarkPlan(parsed.GetValue(tasks), parsed.GetValue(scrapes), parsed.GetValue(native)?.FullName);
    await using var server = await PrivatePostgres.StartAsync(parsed.GetValue(postgres)!);
    BenchmarkReport report;
    try
    {
        report = await plan.RunAsync(server, cancellationToken);
    }
    catch (OperationCanceledException error)
    {
        // A scrape without an answer ends here too, and must not look like a run that somebody stopped.
        await Console.Error.WriteLineAsync(cancellationToken.IsCancellationRequested ? "Stopped." : $"No answer: {error}");
        return 1;
    }
    var text = report.ToMarkdown();
    Console.Write(text);
    if (parsed.GetValue(readme) is { } file) await File.WriteAllTextAsync(file.FullName, text, cancellationToken);
    foreach (var missed in report.Missed) await Console.Error.WriteLineAsync($"Beyond its limit: {missed}");
    return report.Missed.Count == 0 ? 0 : 1;
});
return await command.Parse(args).InvokeAsync();

static void Least(System.CommandLine.Parsing.OptionResult given, int least, string reason)
{
    if (given.Implicit || given.GetValueOrDefault<int>() >= least) return;
    given.AddError($"{given.Option.Name} must be at least {least}: {reason}.");
}

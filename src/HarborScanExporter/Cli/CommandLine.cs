using HarborScanExporter.Harbor;
using System.CommandLine;
using HarborScanExporter.Cli.Check;
using HarborScanExporter.Cli.Doctor;
using HarborScanExporter.Cli.Repair;
using HarborScanExporter.Findings;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.Cli;

/// <summary>The commands, and the flags that stand for settings.</summary>
internal static class CommandLine
{
    /// <summary>The exit code for settings and flags that cannot be used.</summary>
    private const int BadSettings = 2;

    /// <summary>Runs the command line to its end.</summary>
    /// <returns>The exit code of the command; 2 when there is no such command or flag, or when it failed for a reason that is not known.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, Func<ExporterSettings, IReadOnlyList<string>, CancellationToken, Task<int>> serve, InvocationConfiguration invocation,
        CancellationToken cancellationToken = default)
    {
        var parsed = Build(serve).Parse(arguments);
        // The library ends both with 1, which says of check that it has found something.
        invocation.EnableDefaultExceptionHandler = false;
        try
        {
            var exit = await parsed.InvokeAsync(invocation, cancellationToken);
            return parsed.Errors.Count > 0 ? BadSettings : exit;
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            await invocation.Error.WriteLineAsync(VisibleText.Lines(error.ToString().ReplaceLineEndings("\n")));
            return BadSettings;
        }
    }

    /// <summary>Builds the command line; <c>serve</c> is what runs without a command.</summary>
    /// <param name="serve">Runs the exporter until it is stopped.</param>
    public static RootCommand Build(Func<ExporterSettings, IReadOnlyList<string>, CancellationToken, Task<int>> serve)
    {
        var flags = Setting.All.Where(setting => !setting.IsSecret)
            .Select(setting => (setting.Name, Option: new Option<string>(setting.Flag)
            {
                Description = $"{setting.Meaning} [{setting.Name}{(setting.Default is { } value ? $", {value}" : "")}]",
                Recursive = true,
                HelpName = "value",
            })).ToArray();

        async Task<int> WithSettingsAsync(ParseResult parsed, Func<SettingsReading, ExporterSettings, Task<int>> run)
        {
            var reading = SettingsReader.Read(Environment(), Given(parsed));
            if (reading.Settings is not null) return await run(reading, reading.Settings);
            foreach (var error in reading.Errors) await parsed.InvocationConfiguration.Error.WriteLineAsync(VisibleText.Of(error));
            return BadSettings;
        }

        Task<int> ServeAsync(ParseResult parsed, CancellationToken cancellationToken) =>
            WithSettingsAsync(parsed, (reading, settings) => serve(settings, reading.Ignored, cancellationToken));

        Terminal TerminalOf(ParseResult parsed) => Terminal.OfProcess(parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);

        Dictionary<string, string> Given(ParseResult parsed) => flags
            .Where(flag => parsed.GetResult(flag.Option) is { Implicit: false })
            .ToDictionary(flag => flag.Name, flag => parsed.GetValue(flag.Option) ?? "", StringComparer.Ordinal);

        var root = new RootCommand("Counts Harbor's image scans by status and age, says which are stuck and why, and shows it to Prometheus.");
        foreach (var (_, option) in flags) root.Options.Add(option);
        root.SetAction(ServeAsync);

        var serveCommand = new Command("serve", "Serve /metrics until stopped. This is what runs without a command.");
        serveCommand.SetAction(ServeAsync);
        root.Subcommands.Add(serveCommand);

        root.Subcommands.Add(Check((parsed, options, cancellationToken) => WithSettingsAsync(parsed,
            (_, settings) => CheckCommand.RunAsync(settings, options, TerminalOf(parsed), TimeProvider.System, cancellationToken))));

        root.Subcommands.Add(Repair((parsed, options, cancellationToken) => WithSettingsAsync(parsed,
            (_, settings) => RepairCommand.RunAsync(settings, options, TerminalOf(parsed), TimeProvider.System, cancellationToken))));

        root.Subcommands.Add(Doctor((parsed, output, cancellationToken) => WithSettingsAsync(parsed,
            (_, settings) => DoctorCommand.RunAsync(settings, output, TerminalOf(parsed), TimeProvider.System, cancellationToken))));

        var sql = new Command("sql",
            "Print the SQL that makes the least-privilege role, with the names of the settings filled in; with --remediation dry-run or execute, or with a role that repairs, that role's too.");
        var index = new Option<bool>("--open-task-index") { Description = "Print instead the optional index of open tasks, which goes into Harbor's own table." };
        sql.Options.Add(index);
        var prune = new Option<bool>("--prune-audit") { Description = "Print instead the SQL that removes old lines of the audit of repairs." };
        sql.Options.Add(prune);
        var view = new Option<bool>("--read-only-view") { Description = "Print also the optional view that shows whether Harbor is in read-only mode." };
        sql.Options.Add(view);
        sql.SetAction(parsed => parsed.GetValue(index) ? SqlCommand.RunIndex(parsed.InvocationConfiguration.Output)
            : parsed.GetValue(prune) ? SqlCommand.RunPrune(parsed.InvocationConfiguration.Output)
            : SqlCommand.Run(Environment(), Given(parsed), parsed.GetValue(view), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        root.Subcommands.Add(sql);

        var version = new Command("version", "Print the version.");
        version.SetAction(parsed =>
            parsed.InvocationConfiguration.Output.WriteLine($"harbor-scan-exporter {ProductVersion.Version} ({ProductVersion.Revision}, {ProductVersion.Runtime})"));
        root.Subcommands.Add(version);
        return root;
    }

    private static Command Check(Func<ParseResult, CheckOptions, CancellationToken, Task<int>> run)
    {
        var output = Output("table for a person, json as GET /api/v1/findings, prometheus for the textfile collector.", Enum.GetNames<CheckOutput>());
        var quick = new Option<bool>("--quick") { Description = "Look once, also where a verdict needs two looks a minute apart: what one look does not prove ends with exit code 3." };
        var all = new Option<bool>("--all") { Description = "List every finding, also where hundreds are alike." };
        var (verdict, type, project) = Filter();
        var check = new Command("check", "Look at Harbor once and print what is stuck and why. Exit code 0: nothing found, 1: findings, 2: could not look, 3: not decided, as open scans are missing at a single look or cannot be judged.")
        {
            output, quick, all, verdict, type, project,
        };
        check.SetAction((parsed, cancellationToken) => run(parsed, new CheckOptions
        {
            Output = Enum.Parse<CheckOutput>(parsed.GetValue(output)!, ignoreCase: true),
            Quick = parsed.GetValue(quick),
            All = parsed.GetValue(all),
            Filter = FindingsFilter.Of(parsed.GetValue(verdict), parsed.GetValue(type), parsed.GetValue(project)),
        }, cancellationToken));
        return check;
    }

    private static Command Doctor(Func<ParseResult, DoctorOutput, CancellationToken, Task<int>> run)
    {
        var output = Output("table for a person, json for a program.", Enum.GetNames<DoctorOutput>());
        var doctor = new Command("doctor",
            "Try everything the exporter needs and name the mend of what is wrong. Exit code 0: nothing failed, 1: something failed, 2: the settings cannot be used.")
        {
            output,
        };
        doctor.SetAction((parsed, cancellationToken) => run(parsed, Enum.Parse<DoctorOutput>(parsed.GetValue(output)!, ignoreCase: true), cancellationToken));
        return doctor;
    }

    private static Command Repair(Func<ParseResult, RepairOptions, CancellationToken, Task<int>> run)
    {
        var output = Output("table for a person, json for a program.", Enum.GetNames<RepairOutput>());
        var apply = new Option<bool>("--apply") { Description = "Write what is planned. Needs HARBOR_SCAN_REMEDIATION=execute." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Run the statements of --apply and roll them back." };
        var undo = new Option<long?>("--undo") { Description = "Take the repair with this line of the audit back.", HelpName = "id" };
        var quick = new Option<bool>("--quick") { Description = "Look once, also where a repair needs looks a minute apart." };
        var all = new Option<bool>("--all") { Description = "List every repair, also where hundreds are alike." };
        var old = new Option<bool>("--old-executions") { Description = "Search for old executions too, which reads all executions; without it a plan says that it did not." };
        var (verdict, type, project) = Filter();
        var ids = new Option<string[]>("--id") { Description = "Only this finding, for example task-307257; may be given more than once.", HelpName = "id" };
        var share = new Option<bool>("--override-share") { Description = "Repair although so large a share of the open scans is stuck that it may be an outage: you have looked, and it is none." };
        var actor = new Option<string?>("--actor") { Description = "Who asks, for the audit; the user of this process when not given.", HelpName = "name" };
        var note = new Option<string?>("--note") { Description = "Why, for the audit.", HelpName = "text" };
        var repair = new Command("repair",
            "Print what would be repaired, what is left alone and why; --apply writes it. Exit code 0: nothing is left to repair, 1: something is planned or left, 2: could not look or may not write.")
        {
            apply, dryRun, undo, output, quick, all, old, verdict, type, project, ids, share, actor, note,
        };
        repair.SetAction((parsed, cancellationToken) => run(parsed, new RepairOptions
        {
            Output = Enum.Parse<RepairOutput>(parsed.GetValue(output)!, ignoreCase: true),
            Apply = parsed.GetValue(apply),
            DryRun = parsed.GetValue(dryRun),
            Undo = parsed.GetValue(undo),
            Quick = parsed.GetValue(quick),
            All = parsed.GetValue(all),
            OldExecutions = parsed.GetValue(old),
            Filter = FindingsFilter.Of(parsed.GetValue(verdict), parsed.GetValue(type), parsed.GetValue(project)),
            Ids = parsed.GetValue(ids) ?? [],
            OverrideShare = parsed.GetValue(share),
            Actor = parsed.GetValue(actor),
            Note = parsed.GetValue(note),
        }, cancellationToken));
        return repair;
    }

    /// <summary>The filter of GET /api/v1/findings: several words by commas, or by giving the flag again.</summary>
    private static (Option<string[]> Verdict, Option<string[]> Type, Option<string[]> Project) Filter() => (
        new Option<string[]>("--verdict") { Description = $"Only findings of this verdict; several by commas: {string.Join(", ", FindingsFilter.VerdictWords)}.", HelpName = "word" },
        new Option<string[]>("--type") { Description = $"Only findings of this type; several by commas: {string.Join(", ", ScanType.All)}.", HelpName = "word" },
        new Option<string[]>("--project") { Description = "Only findings that block an artifact of this project; several by commas.", HelpName = "name" });

    private static Option<string> Output(string meaning, string[] names)
    {
        string[] words = [.. names.Select(name => name.ToLowerInvariant())];
        var output = new Option<string>("--output") { Description = meaning, DefaultValueFactory = _ => words[0], HelpName = string.Join('|', words) };
        output.AcceptOnlyFromAmong(words);
        return output;
    }

    private static Dictionary<string, string> Environment() => System.Environment.GetEnvironmentVariables()
        .Cast<System.Collections.DictionaryEntry>()
        .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
}

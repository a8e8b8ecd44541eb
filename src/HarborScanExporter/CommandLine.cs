using System.CommandLine;
using HarborScanExporter.Database;
using HarborScanExporter.Scraping;
using HarborScanExporter.Settings;

namespace HarborScanExporter;

/// <summary>The commands, and the flags that stand for settings.</summary>
internal static class CommandLine
{
    private const string RoleDefault = "harbor_scan_exporter";

    /// <summary>The exit code for settings that cannot be used.</summary>
    private const int BadSettings = 2;

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

        async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancellationToken)
        {
            var reading = SettingsReader.Read(Environment(), Given(parsed));
            if (reading.Settings is not null) return await serve(reading.Settings, reading.Ignored, cancellationToken);
            foreach (var error in reading.Errors) await parsed.InvocationConfiguration.Error.WriteLineAsync(error);
            return BadSettings;
        }

        Dictionary<string, string> Given(ParseResult parsed) => flags
            .Where(flag => parsed.GetResult(flag.Option) is { Implicit: false })
            .ToDictionary(flag => flag.Name, flag => parsed.GetValue(flag.Option) ?? "", StringComparer.Ordinal);

        var root = new RootCommand("Counts Harbor's image scans by status and age, says which are stuck and why, and shows it to Prometheus.");
        foreach (var (_, option) in flags) root.Options.Add(option);
        root.SetAction(ServeAsync);

        var serveCommand = new Command("serve", "Serve /metrics until stopped. This is what runs without a command.");
        serveCommand.SetAction(ServeAsync);
        root.Subcommands.Add(serveCommand);

        var sql = new Command("sql", "Print the SQL that makes the least-privilege role, with the names of the settings filled in.");
        sql.SetAction(parsed => PrintSql(parsed.InvocationConfiguration.Output, Given(parsed)));
        root.Subcommands.Add(sql);

        var version = new Command("version", "Print the version.");
        version.SetAction(parsed =>
            parsed.InvocationConfiguration.Output.WriteLine($"harbor-scan-exporter {ProductVersion.Version} ({ProductVersion.Revision}, {ProductVersion.Runtime})"));
        root.Subcommands.Add(version);
        return root;
    }

    private static void PrintSql(TextWriter output, Dictionary<string, string> flags)
    {
        var environment = Environment();
        string Named(string name, string otherwise) => flags.GetValueOrDefault(name) ?? environment.GetValueOrDefault(name) ?? otherwise;
        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["role"] = Named(Setting.Names.DatabaseUsername, RoleDefault),
            ["database"] = Named(Setting.Names.DatabaseName, "registry"),
            // A secret is never printed: \password sets it without leaving it in a file or in the server's log.
            ["password"] = "",
        };
        foreach (var name in RoleScript.Names) output.WriteLine(RoleScript.Filled(name, variables));
        output.WriteLine($"-- Now set the password in psql: \\password {variables["role"]}");
    }

    private static Dictionary<string, string> Environment() => System.Environment.GetEnvironmentVariables()
        .Cast<System.Collections.DictionaryEntry>()
        .ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "", StringComparer.Ordinal);
}

using System.Text.RegularExpressions;
using HarborScanExporter.Database.Grants;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Cli;

/// <summary>
/// The command <c>sql</c>: prints the scripts of deploy/sql with the names of the settings filled in, for psql. What is printed is piped into it, so that
/// the optional view and a role that can write are printed only where they are asked for.
/// </summary>
internal static partial class SqlCommand
{
    /// <summary>The names where the settings give none.</summary>
    private const string ScrapingRole = "harbor_scan_exporter";
    private const string RemediationRole = "harbor_scan_remediation";

    private const int Printed = 0;
    private const int BadSettings = 2;

    /// <summary>Prints the index alone: it changes Harbor's own table, and cannot stand in a transaction with others.</summary>
    /// <returns>0.</returns>
    public static int RunIndex(TextWriter output)
    {
        output.WriteLine(RoleScript.Text(RoleScript.OpenTaskIndex));
        return Printed;
    }

    /// <summary>Prints the removal of old lines of the audit alone: it is run again and again, and by nobody who only makes roles.</summary>
    /// <returns>0.</returns>
    public static int RunPrune(TextWriter output)
    {
        output.WriteLine(RoleScript.Text(RoleScript.PruneAudit));
        return Printed;
    }

    /// <summary>Prints them.</summary>
    /// <param name="environment">The settings of the environment.</param>
    /// <param name="flags">Those of the command line.</param>
    /// <param name="readOnlyView">Whether the optional view is asked for; the role that repairs brings it too.</param>
    /// <param name="output">Takes the SQL.</param>
    /// <param name="errors">Takes mistakes and warnings.</param>
    /// <returns>0; 2 when a setting that it looks at is a mistake, which goes to the errors.</returns>
    public static int Run(IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string> flags, bool readOnlyView, TextWriter output, TextWriter errors)
    {
        var given = new Dictionary<string, string>(environment, StringComparer.Ordinal);
        foreach (var (name, value) in flags) given[name] = value;
        var values = new SettingValues(given);
        var named = values.Value(Setting.Names.RemediationDatabaseUsername);
        var sweeps = values.IsOn(Setting.Names.RemediationSweep);
        var repairs = RemediationReader.Mode(values) != RemediationMode.Off || named is not null || sweeps;
        var scraping = values.Value(Setting.Names.DatabaseUsername) ?? ScrapingRole;
        var repairing = named ?? RemediationRole;
        if (repairs) RemediationReader.CheckRole(values, scraping, repairing);
        foreach (var (name, value) in new[] { (Setting.Names.DatabaseUsername, scraping), (Setting.Names.RemediationDatabaseUsername, repairing), (Setting.Names.DatabaseName, values.Value(Setting.Names.DatabaseName)!) })
        {
            // A line break would end the comments that name it, and what follows would run.
            if (value.Any(char.IsControl)) values.Refuse($"{name} holds a control character. Give a plain name.");
        }
        foreach (var error in values.Errors) errors.WriteLine(error);
        if (values.Errors.Count > 0) return BadSettings;

        var variables = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["role"] = scraping,
            ["remediation_role"] = repairing,
            ["database"] = values.Value(Setting.Names.DatabaseName)!,
            // A secret is never printed: \password sets it without leaving it in a file or in the server's log.
            ["password"] = "",
            ["remediation_password"] = "",
        };
        if (environment.ContainsKey(Setting.Names.DatabaseUsername) && !flags.ContainsKey(Setting.Names.DatabaseUsername))
        {
            errors.WriteLine($"This SQL is for the role {scraping}, which {Setting.Names.DatabaseUsername} names, and makes it read-only. "
                + $"If Harbor uses that role, print it with --database-username {ScrapingRole}.");
        }
        // Where one statement is refused, none of the next may run.
        output.WriteLine("\\set ON_ERROR_STOP on");
        output.WriteLine(RoleScript.Filled(RoleScript.ScrapingRole, variables));
        if (readOnlyView && !repairs) output.WriteLine(RoleScript.Filled(RoleScript.ReadOnlyView, variables));
        if (repairs) output.WriteLine(RoleScript.Filled(RoleScript.RemediationRole, variables));
        if (sweeps) output.WriteLine(RoleScript.Filled(RoleScript.RemediationSweep, variables));
        output.WriteLine($"-- Now set the password in psql: \\password {Identifier(scraping)}");
        if (repairs) output.WriteLine($"-- And that of the role that repairs: \\password {Identifier(repairing)}");
        if (!repairs && !readOnlyView) output.WriteLine("-- The view that shows read-only mode is not among these; 'harbor-scan-exporter sql --read-only-view' prints it too.");
        if (!repairs) output.WriteLine("-- The role that repairs is not among these; 'harbor-scan-exporter sql --remediation dry-run' prints it too.");
        return Printed;
    }

    /// <summary>A name as psql's commands read it, which fold what is not quoted.</summary>
    private static string Identifier(string name) => Plain().IsMatch(name) ? name : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    [GeneratedRegex(@"\A[a-z_][a-z0-9_]*\z")]
    private static partial Regex Plain();
}

using System.Text.RegularExpressions;
using HarborScanExporter.Database;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Operations;

/// <summary>
/// The command <c>sql</c>: prints the scripts of deploy/sql with the names of the settings filled in. A role that can write is printed only
/// where repairs are asked for, since what is printed is piped into psql.
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

    /// <summary>Prints them.</summary>
    /// <returns>0; 2 when a setting that it looks at is a mistake, which goes to the errors.</returns>
    public static int Run(IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string> flags, TextWriter output, TextWriter errors)
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
        foreach (var script in RoleScript.Names)
        {
            if ((repairs || script != RoleScript.RemediationRole) && (sweeps || script != RoleScript.RemediationSweep))
                output.WriteLine(RoleScript.Filled(script, variables));
        }
        output.WriteLine($"-- Now set the password in psql: \\password {Identifier(scraping)}");
        if (repairs) output.WriteLine($"-- And that of the role that repairs: \\password {Identifier(repairing)}");
        else output.WriteLine("-- The role that repairs is not among these; 'harbor-scan-exporter sql --remediation dry-run' prints it too.");
        return Printed;
    }

    /// <summary>A name as psql's commands read it, which fold what is not quoted.</summary>
    private static string Identifier(string name) => Plain().IsMatch(name) ? name : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    [GeneratedRegex(@"\A[a-z_][a-z0-9_]*\z")]
    private static partial Regex Plain();
}

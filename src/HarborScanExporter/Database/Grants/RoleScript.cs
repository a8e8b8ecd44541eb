using System.Text.RegularExpressions;

namespace HarborScanExporter.Database.Grants;

/// <summary>The SQL of deploy/sql with its psql variables filled in.</summary>
internal static partial class RoleScript
{
    /// <summary>The role that reads.</summary>
    public const string ScrapingRole = "01-scraping-role.sql";

    /// <summary>Optional: lets it see Harbor's read-only mode.</summary>
    public const string ReadOnlyView = "02-read-only-view.sql";

    /// <summary>Only for repairs: the role that repairs, and the audit.</summary>
    public const string RemediationRole = "03-remediation-role.sql";

    /// <summary>Only for the sweep: lets the repairing role remove executions and tasks.</summary>
    public const string RemediationSweep = "04-remediation-sweep.sql";

    /// <summary>Optional, and apart from the others: an index in Harbor's own table.</summary>
    public const string OpenTaskIndex = "05-open-task-index.sql";

    /// <summary>Apart from the others too: removes old lines of the audit, now and then.</summary>
    public const string PruneAudit = "06-prune-audit.sql";

    /// <summary>The scripts of the roles in the order they are run.</summary>
    public static IReadOnlyList<string> Names { get; } = [ScrapingRole, ReadOnlyView, RemediationRole, RemediationSweep];

    /// <summary>One script with its variables as SQL literals and identifiers.</summary>
    /// <exception cref="ArgumentException">The script uses a variable that is not given.</exception>
    public static string Filled(string name, IReadOnlyDictionary<string, string> variables)
    {
        return Variable().Replace(Text(name), match =>
        {
            if (match.Groups["comment"].Success) return match.Value;
            if (!variables.TryGetValue(match.Groups["name"].Value, out var value))
                throw new ArgumentException($"{name} needs the variable {match.Groups["name"].Value}.", nameof(variables));
            var quote = match.Groups["quote"].Value;
            return quote + value.Replace(quote, quote + quote, StringComparison.Ordinal) + quote;
        });
    }

    /// <summary>One script as it lies in deploy/sql.</summary>
    /// <exception cref="ArgumentException">There is no such script.</exception>
    public static string Text(string name)
    {
        using var stream = typeof(RoleScript).Assembly.GetManifestResourceStream(name) ?? throw new ArgumentException($"There is no script {name}.", nameof(name));
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex("""(?<comment>--[^\n]*)|:(?<quote>['"])(?<name>[a-z_]+)\k<quote>""", RegexOptions.ExplicitCapture)]
    private static partial Regex Variable();
}

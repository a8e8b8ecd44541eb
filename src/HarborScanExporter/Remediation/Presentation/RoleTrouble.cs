using HarborScanExporter.Failures;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Remediation.Presentation;

/// <summary>What is wrong with the repairing role's way to the database, for people.</summary>
internal static class RoleTrouble
{
    /// <summary>A sentence with the mend.</summary>
    public static string Of(Exception error)
    {
        var reason = FailureReason.Of(error);
        var mend = reason switch
        {
            FailureReason.Auth => $"Check {Setting.Names.RemediationDatabaseUsername} and its password, and the server's pg_hba.conf.",
            FailureReason.Permission or FailureReason.Schema => "Run the SQL of 'harbor-scan-exporter sql --remediation dry-run' again: grants are missing, as after a Harbor upgrade.",
            _ => FailureReason.Mend(error, DatabaseMend.SignIn.Repairing),
        };
        return $"What repairs need of the database could not be read ({reason}). {DatabaseMend.Of(error, DatabaseMend.SignIn.Repairing) ?? mend} ({FailureReason.Words(error)})";
    }
}

using HarborScanExporter.Database.Queries;
using Npgsql;

namespace HarborScanExporter.Tests.Remediation.Audit;

/// <summary>What is told of an audit that cannot be used, in the server's words.</summary>
public sealed class AuditExceptionTests
{
    [Theory]
    [InlineData(PostgresErrorCodes.UndefinedTable, "relation is not there", "Run the SQL of deploy/sql/03-remediation-role.sql; the exporter never makes it by itself.")]
    [InlineData(PostgresErrorCodes.UndefinedColumn, "column is not there", "Run the SQL of deploy/sql/03-remediation-role.sql; the exporter never makes it by itself.")]
    [InlineData(PostgresErrorCodes.InsufficientPrivilege, "permission denied", "Run the SQL of deploy/sql/03-remediation-role.sql; the exporter never makes it by itself.")]
    [InlineData(PostgresErrorCodes.DiskFull, "could not extend file: No space left on device", "The disk of the server is full: free space there.")]
    [InlineData(PostgresErrorCodes.ReadOnlySqlTransaction, "cannot execute INSERT in a read-only transaction",
        "The server or the role is read-only: let HARBOR_DATABASE_HOST name the primary, and look at default_transaction_read_only of HARBOR_SCAN_REMEDIATION_DATABASE_USERNAME.")]
    public void Only_an_audit_that_is_missing_old_or_closed_is_mended_by_the_SQL_that_makes_it(string state, string words, string mend) =>
        Assert.Equal(
            $"The audit of repairs cannot be used: {state}: {words}. {mend}",
            new AuditException(new PostgresException(words, "ERROR", "ERROR", state, detail: "Line of detail", position: 8)).Message);
}

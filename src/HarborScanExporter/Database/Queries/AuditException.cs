using HarborScanExporter.Failures;
using Npgsql;

namespace HarborScanExporter.Database.Queries;

/// <summary>The audit of repairs cannot be read or written; the message names the mend. Without it nothing is repaired.</summary>
internal sealed class AuditException(PostgresException cause) : Exception($"The audit of repairs cannot be used: {FailureReason.Words(cause)}. {Mend(cause)}", cause), IKnownFailure
{
    public string Reason => FailureReason.Of(cause);

    public Exception Cause => cause;

    public bool SaysFix => true;

    /// <summary>Whether there is no audit: neither the table nor its schema, as before the SQL of repairs was ever run.</summary>
    public static bool IsAbsent(PostgresException error) => error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName;

    /// <summary>Whether an error says that the audit is missing, is an older one, or may not be used: what the SQL of repairs mends.</summary>
    public static bool Explains(PostgresException error) => IsAbsent(error) || error.SqlState is PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.InsufficientPrivilege;

    /// <summary>Uses the audit.</summary>
    /// <exception cref="AuditException">It is missing, is an older one, or may not be used.</exception>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> use)
    {
        try
        {
            return await use();
        }
        catch (PostgresException error) when (Explains(error))
        {
            throw new AuditException(error);
        }
    }

    /// <summary>Writes into the audit: but for what a moment later may work, whatever forbids a line forbids the repair.</summary>
    /// <exception cref="AuditException">The line was refused.</exception>
    public static async Task<T> GuardWriteAsync<T>(Func<Task<T>> write)
    {
        try
        {
            return await write();
        }
        catch (PostgresException error) when (error.SqlState is not (PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.QueryCanceled))
        {
            throw new AuditException(error);
        }
    }

    private static string Mend(PostgresException cause) => Explains(cause)
        ? "Run the SQL of deploy/sql/03-remediation-role.sql; the exporter never makes it by itself."
        : FailureReason.Mend(cause, DatabaseMend.SignIn.Repairing);
}

using System.Net.Sockets;
using Npgsql;

namespace HarborScanExporter.Failures;

/// <summary>The closed set of reasons for which a collection fails; the label value of <c>reason</c>.</summary>
internal static class FailureReason
{
    public const string Connect = "connect";
    public const string Auth = "auth";
    public const string Timeout = "timeout";
    public const string LockTimeout = "lock_timeout";
    public const string Schema = "schema";
    public const string Permission = "permission";
    public const string Other = "other";

    /// <summary>The whole tables have not been read yet; after a start, for seconds.</summary>
    public const string Reconciling = "reconciling";

    public static IReadOnlyList<string> All { get; } = [Connect, Auth, Timeout, LockTimeout, Schema, Permission, Reconciling, Other];

    /// <summary>The place of a reason in <see cref="All"/>.</summary>
    public static int IndexOf(string reason) => All.TakeWhile(known => known != reason).Count();

    /// <summary>The reason behind an exception.</summary>
    public static string Of(Exception error) => error switch
    {
        IKnownFailure { Cause: { } cause } => Of(cause),
        IKnownFailure known => known.Reason,
        OperationCanceledException or TimeoutException => Timeout,
        PostgresException postgres => OfState(postgres.SqlState),
        // A connection that is not free in time is one too: reads that were given up keep them.
        NpgsqlException { InnerException: TimeoutException } => Timeout,
        NpgsqlException npgsql when IsOfPassword(npgsql.Message) || WantsPassword(npgsql) => Auth,
        NpgsqlException or SocketException or IOException => Connect,
        UnauthorizedAccessException => Auth,
        _ => Other,
    };

    /// <summary>Whether the driver says that the password could not be had: its file cannot be read.</summary>
    public static bool IsOfPassword(string message) => message.Contains("password provider", StringComparison.Ordinal);

    /// <summary>Whether the driver says that the server wants a password and there is none.</summary>
    public static bool WantsPassword(NpgsqlException error) => error.Message.StartsWith("No password has been provided", StringComparison.Ordinal);

    /// <summary>Whether the driver says that none of its connections became free.</summary>
    public static bool IsOfPool(string message) => message.StartsWith("The connection pool has been exhausted", StringComparison.Ordinal);

    /// <summary>What happened, in the server's own words or those of the way to it, on one line and without a stop.</summary>
    public static string Words(Exception error) => error switch
    {
        IKnownFailure { Cause: { } cause, SaysFix: false } => Words(cause),
        OperationCanceledException or TimeoutException => "no answer in time",
        PostgresException postgres => OneLine($"{postgres.SqlState}: {postgres.MessageText}"),
        NpgsqlException { InnerException: TimeoutException } npgsql when IsOfPool(npgsql.Message) => "no connection of this exporter became free in time",
        NpgsqlException { InnerException: { } inner } npgsql when inner.Message != npgsql.Message => OneLine($"{npgsql.Message.TrimEnd('.')}: {inner.Message}"),
        _ => OneLine(error.Message),
    };

    /// <summary>What an operator can do about this error.</summary>
    /// <param name="error">What happened.</param>
    /// <param name="signIn">The settings of the role; those of the scraping role when not given.</param>
    public static string Mend(Exception error, DatabaseMend.SignIn? signIn = null) => error switch
    {
        IKnownFailure { Cause: { } cause } => Mend(cause, signIn),
        _ => DatabaseMend.Of(error, signIn ?? DatabaseMend.SignIn.Scraping)
            ?? (Of(error) == Other && signIn == DatabaseMend.SignIn.Repairing ? "Look at the log of the database's server." : Mend(Of(error))),
    };

    /// <summary>The reason, what to do, and what happened: <c>(reason). Mend. (words)</c>, for the end of a sentence.</summary>
    public static string Told(Exception error) => $"({Of(error)}). {Mend(error)} ({Words(error)})";

    /// <summary>What an operator can do about it.</summary>
    public static string Mend(string reason) => reason switch
    {
        Connect => "Check HARBOR_DATABASE_HOST, _PORT, _DBNAME and _SSLMODE, that the server runs, and that its connections are not exhausted.",
        Auth => "Check HARBOR_DATABASE_USERNAME and its password, and the server's pg_hba.conf.",
        Timeout => "The database did not answer within the scrape's deadline: look at its load, or raise HARBOR_SCAN_SCRAPE_TIMEOUT with Prometheus' scrape_timeout.",
        LockTimeout => "A table is locked, by a migration or by hand; the next scrape tries again.",
        Schema => "Check that HARBOR_DATABASE_DBNAME is Harbor's database and that its migration is complete.",
        Reconciling => "Wait some seconds. When it stays so, look at harbor_scan_reconciliation_failures_total, or raise HARBOR_SCAN_RECONCILIATION_TIMEOUT.",
        Permission => "Run the SQL of 'harbor-scan-exporter sql' again: grants are missing, as after a Harbor upgrade.",
        _ => "The next scrape tries again.",
    };

    private static string OneLine(string text) =>
        new string([.. text.ReplaceLineEndings(" ").Where(letter => !char.IsControl(letter))]).TrimEnd('.', ' ');

    private static string OfState(string state) => state switch
    {
        "28000" or "28P01" => Auth,
        PostgresErrorCodes.QueryCanceled => Timeout,
        PostgresErrorCodes.LockNotAvailable => LockTimeout,
        PostgresErrorCodes.InsufficientPrivilege => Permission,
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn or PostgresErrorCodes.UndefinedFunction or PostgresErrorCodes.InvalidSchemaName => Schema,
        PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.TooManyConnections => Connect,
        PostgresErrorCodes.ProtocolViolation => Connect,
        _ when state.StartsWith("57P", StringComparison.Ordinal) || state.StartsWith("08", StringComparison.Ordinal) => Connect,
        _ => Other,
    };
}

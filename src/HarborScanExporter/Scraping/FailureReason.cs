using System.Net.Sockets;
using HarborScanExporter.ActiveSet;
using HarborScanExporter.Database;
using HarborScanExporter.Diagnosis;
using HarborScanExporter.JobService;
using Npgsql;

namespace HarborScanExporter.Scraping;

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
        UnreadableSchemaException => Schema,
        NotReconciledException { InnerException: { } cause } => Of(cause),
        NotReconciledException => Reconciling,
        AuditException { InnerException: { } cause } => Of(cause),
        RedisUnusableException { State: EvidenceState.Refused } => Auth,
        RedisUnusableException => Connect,
        OperationCanceledException or TimeoutException => Timeout,
        PostgresException postgres => OfState(postgres.SqlState),
        NpgsqlException { InnerException: TimeoutException } => Timeout,
        // The pool of two is taken by collections that were given up: the network or the server keeps them.
        NpgsqlException { InnerException: null } exhausted when exhausted.Message.Contains("pool", StringComparison.OrdinalIgnoreCase) => Timeout,
        NpgsqlException or SocketException or IOException => Connect,
        UnauthorizedAccessException => Auth,
        _ => Other,
    };

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

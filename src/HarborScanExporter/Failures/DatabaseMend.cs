using System.Security.Authentication;
using System.Security.Cryptography;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Failures;

/// <summary>What an operator can do about one error of the database, where that is more than the reason's label tells.</summary>
internal static class DatabaseMend
{
    /// <summary>The settings by which a role signs in.</summary>
    /// <param name="Username">That of its name.</param>
    /// <param name="PasswordFile">That of the file of its password.</param>
    internal sealed record SignIn(string Username, string PasswordFile)
    {
        /// <summary>The role that scrapes.</summary>
        public static SignIn Scraping { get; } = new(Setting.Names.DatabaseUsername, Setting.Names.DatabasePasswordFile);

        /// <summary>The role that repairs.</summary>
        public static SignIn Repairing { get; } = new(Setting.Names.RemediationDatabaseUsername, Setting.Names.RemediationDatabasePasswordFile);
    }

    /// <summary>The mend; null where that of the reason suffices.</summary>
    /// <param name="error">What the driver threw.</param>
    /// <param name="signIn">The settings of the role.</param>
    public static string? Of(Exception error, SignIn signIn) => error switch
    {
        PostgresException postgres => OfServer(postgres, signIn),
        NpgsqlException { InnerException: { } inner } npgsql => OfClient(npgsql.Message, inner, signIn),
        NpgsqlException npgsql when npgsql.Message.Contains("SSL connection requested", StringComparison.Ordinal) =>
            $"The server takes no TLS, which {Setting.Names.DatabaseSslMode} asks for: switch TLS on at the server, or set it to disable where the way to it is safe.",
        NpgsqlException npgsql when FailureReason.WantsPassword(npgsql) => $"Set the password of {signIn.Username}, or its file in {signIn.PasswordFile}.",
        _ => null,
    };

    private static string? OfClient(string message, Exception inner, SignIn signIn) => inner switch
    {
        _ when FailureReason.IsOfPassword(message) => $"Mount the file of {signIn.PasswordFile} so that the user of this process may read it, or correct its path.",
        AuthenticationException when IsOfCertificate(inner) =>
            $"Name the authority that signed the server's certificate in PGSSLROOTCERT; with verify-full {Setting.Names.DatabaseHost} must be a name in it.",
        AuthenticationException => $"The server and this program agree on no TLS: look at {Setting.Names.DatabaseSslMode}, at the server's log, and at what stands between them.",
        FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException or CryptographicException =>
            "Mount the file of PGSSLROOTCERT, which must hold the authority's certificate as PEM, or correct its path.",
        TimeoutException when FailureReason.IsOfPool(message) =>
            "Every connection of this exporter is held by a read that the network or the server keeps: look at the load of the database, at locks, and at the network between them.",
        System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.HostNotFound or System.Net.Sockets.SocketError.TryAgain or System.Net.Sockets.SocketError.NoData } =>
            $"Check {Setting.Names.DatabaseHost}: no address is known for that name.",
        _ => null,
    };

    private static string? OfServer(PostgresException error, SignIn signIn) => error.SqlState switch
    {
        PostgresErrorCodes.InvalidAuthorizationSpecification when IsUnencrypted(error) =>
            $"pg_hba.conf has no line that lets {signIn.Username} in without TLS: set {Setting.Names.DatabaseSslMode} to require or verify-full, or add a line for it.",
        PostgresErrorCodes.InvalidAuthorizationSpecification when error.MessageText.Contains("pg_hba.conf", StringComparison.Ordinal) =>
            $"Add a line to pg_hba.conf that lets {signIn.Username} into {Setting.Names.DatabaseName} from the address that the server names.",
        PostgresErrorCodes.InvalidAuthorizationSpecification when error.MessageText.Contains("client certificate", StringComparison.Ordinal) =>
            "The server wants a certificate of the client, which the exporter has not: let its role sign in by password (scram-sha-256) in pg_hba.conf.",
        PostgresErrorCodes.InvalidAuthorizationSpecification when error.MessageText.Contains("does not exist", StringComparison.Ordinal) =>
            $"Check {signIn.Username}, or make the role with the SQL of 'harbor-scan-exporter sql'.",
        PostgresErrorCodes.InvalidCatalogName => $"Check {Setting.Names.DatabaseName}: Harbor's database is called registry unless told otherwise.",
        PostgresErrorCodes.TooManyConnections when error.MessageText.Contains("role", StringComparison.Ordinal) && !error.MessageText.Contains("reserved", StringComparison.Ordinal) =>
            $"The connection limit of the role is used up: end what else signs in by {signIn.Username}, or raise it with alter role … connection limit.",
        PostgresErrorCodes.TooManyConnections =>
            "The server has no connection left: raise max_connections, or end what holds them: select usename, state, count(*) from pg_stat_activity group by 1, 2.",
        PostgresErrorCodes.CannotConnectNow => "The server is starting, stopping or recovering: wait. When it stays so, look at its log.",
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown => "The server was stopped, or ended this session; the next scrape tries again.",
        PostgresErrorCodes.DiskFull => "The disk of the server is full: free space there.",
        PostgresErrorCodes.OutOfMemory or PostgresErrorCodes.ConfigurationLimitExceeded or PostgresErrorCodes.InsufficientResources => "The server ran out of what it names: look at its memory and its log.",
        PostgresErrorCodes.IoError => "The server cannot read or write its files: look at its disk and its log.",
        PostgresErrorCodes.ReadOnlySqlTransaction => $"The server or the role is read-only: let {Setting.Names.DatabaseHost} name the primary, and look at default_transaction_read_only of {signIn.Username}.",
        PostgresErrorCodes.SerializationFailure when error.MessageText.Contains("recovery", StringComparison.Ordinal) =>
            "The standby ended the read to go on with its replication: raise max_standby_streaming_delay there, or set hot_standby_feedback.",
        _ => null,
    };

    /// <summary>PostgreSQL 14 and later say no encryption, earlier ones SSL off.</summary>
    private static bool IsUnencrypted(PostgresException error) =>
        error.MessageText.Contains("no encryption", StringComparison.Ordinal) || error.MessageText.Contains("SSL off", StringComparison.Ordinal);

    private static bool IsOfCertificate(Exception error) => error.Message.Contains("certificate", StringComparison.OrdinalIgnoreCase);
}

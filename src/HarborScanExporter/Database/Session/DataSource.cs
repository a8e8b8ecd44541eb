using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Database.Session;

/// <summary>How this program connects to Harbor's database, by whichever role.</summary>
internal static class DataSource
{
    /// <summary>A pool of few connections that works behind PgBouncer in transaction mode.</summary>
    /// <param name="settings">Where the database is and how to sign in.</param>
    /// <param name="timeout">Upper bound of anything done there.</param>
    /// <param name="maxConnections">The size of the pool.</param>
    /// <param name="applicationName">What pg_stat_activity shows.</param>
    public static NpgsqlDataSource Of(DatabaseSettings settings, TimeSpan timeout, int maxConnections, string applicationName)
    {
        var seconds = (int)Math.Ceiling(timeout.TotalSeconds);
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = settings.Host,
            Port = settings.Port,
            Username = settings.Username,
            Password = settings.Password,
            Database = settings.Name,
            SslMode = Enum.Parse<SslMode>(settings.SslMode.Replace("-", "", StringComparison.Ordinal), ignoreCase: true),
            GssEncryptionMode = GssEncryptionMode.Disable,
            ApplicationName = applicationName,
            ClientEncoding = "UTF8",
            MaxPoolSize = maxConnections,
            MinPoolSize = 0,
            ConnectionIdleLifetime = 300,
            // Half of the time, so that a pool that is taken, or a server that takes no connection, is told before the deadline cuts the word off.
            Timeout = Math.Clamp(seconds / 2, 1, 1024),
            CommandTimeout = seconds + 1,
            Enlist = false,
            // PgBouncer in transaction mode: a server connection is ours for one transaction only, so nothing is reset, prepared or loaded on it.
            NoResetOnClose = true,
            MaxAutoPrepare = 0,
        };
        // The full builder would bring every type of PostgreSQL into the native binary, and with it megabytes that stay in memory.
        var builder = new NpgsqlSlimDataSourceBuilder(connection.ConnectionString) { Name = "harbor" };
        builder.EnableArrays();
        builder.EnableTransportSecurity();
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        if (settings.PasswordFile is { } file)
            builder.UsePasswordProvider(_ => file.Read(), async (_, cancellationToken) => await file.ReadAsync(cancellationToken));
        return builder.Build();
    }
}

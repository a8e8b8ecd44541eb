using HarborScanExporter.Database.Session;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>Harbor's database as the repairing role may use it: two connections at most, one short transaction at a time.</summary>
internal sealed class RepairDatabase : IAsyncDisposable
{
    private const int MaxConnections = 2;

    /// <summary>Upper bound of one statement; a repair touches rows by key.</summary>
    public static readonly TimeSpan StatementTimeout = TimeSpan.FromSeconds(10);

    private readonly NpgsqlDataSource _source;

    /// <param name="database">Server and database, those of the scraping role.</param>
    /// <param name="remediation">The role.</param>
    public RepairDatabase(DatabaseSettings database, RemediationSettings remediation) =>
        _source = DataSource.Of(remediation.SignIn(database), StatementTimeout, MaxConnections, "harbor-scan-exporter repair");

    /// <summary>Begins a transaction that holds its guards itself.</summary>
    /// <exception cref="NpgsqlException">The database is away or refuses.</exception>
    public Task<RepairTransaction> BeginAsync(CancellationToken cancellationToken) =>
        PooledConnection.BeginAsync(_source, RepairTransaction.BeginAsync, cancellationToken);

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}

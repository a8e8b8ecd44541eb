using Dapper;
using HarborScanExporter.Remediation.Execution;
using Npgsql;

namespace HarborScanExporter.Remediation.Undo;

/// <summary>Puts a removed execution and its tasks back, with their ids and every column as it was.</summary>
internal static class SweepUndo
{
    private const string RestoreSql = "select harbor_scan.put_back(@Before::json)";

    /// <summary>Puts the rows back; false, with nothing written, when a row with one of their ids is there.</summary>
    /// <param name="transaction">The transaction that writes the audit's line too.</param>
    /// <param name="before">The <c>before</c> of the sweep's line.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="PostgresException">The database refuses, as without the grant of deploy/sql/04-remediation-sweep.sql.</exception>
    public static async Task<bool> RestoreAsync(RepairTransaction transaction, string before, CancellationToken cancellationToken)
    {
        var parameters = new Parameters { Before = before, CancellationToken = cancellationToken };
        try
        {
            return await transaction.PartAsync(async () =>
            {
                await transaction.Connection.QueryAsync<long>(RestoreSql, parameters, transaction.Transaction);
                return true;
            }, cancellationToken);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return false;
        }
    }

    internal sealed record Parameters
    {
        public required string Before { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}

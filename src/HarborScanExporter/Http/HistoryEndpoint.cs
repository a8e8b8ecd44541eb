using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Failures;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Http;

/// <summary>GET of /api/v1/repairs: what was repaired, as the audit has it. Also while repairs are off.</summary>
internal sealed class HistoryEndpoint(OperationsDatabase database, RequestRates rates, ExporterSettings settings)
{
    /// <summary>200 with a page of the audit; 400 when a parameter is wrong; 503 when it cannot be read.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        if (HistoryQuery.Read(context.Request.Query, out var bad) is not { } query)
        {
            await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, $"{bad!.Name}: {bad.Detail}", bad.Name);
            return;
        }
        if (!await PeoplesRate.LetsInAsync(rates.Looks, context)) return;
        try
        {
            var page = await ReadAsync(query, context.RequestAborted);
            context.Response.ContentType = "application/json; charset=utf-8";
            await context.Response.WriteAsync(HistoryDocument.Of(page, query.Page, query.PageSize).ToJson(), context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked went away.
        }
        catch (PostgresException error) when (AuditException.Explains(error))
        {
            await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, new AuditException(error).Message);
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, $"The audit could not be read {FailureReason.Told(error)}");
        }
    }

    private async Task<AuditPage> ReadAsync(HistoryQuery query, CancellationToken cancellationToken)
    {
        await using var snapshot = await database.BeginAsync(settings.ScrapeTimeout, cancellationToken);
        try
        {
            return await snapshot.ReadAsync((from, token) => AuditPage.ReadAsync(from, query.Filter, query.Page, query.PageSize, token), cancellationToken);
        }
        catch (PostgresException error) when (settings.Remediation.Mode == RemediationMode.Off && AuditException.IsAbsent(error))
        {
            // Without the table nothing was ever repaired.
            return new AuditPage([], 0);
        }
    }
}

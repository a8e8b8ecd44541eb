using HarborScanExporter.Database.Queries;
using HarborScanExporter.Failures;
using HarborScanExporter.Findings;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Http;

/// <summary>GET of /api/v1/plan: what a run would do now, what it would leave alone, and why. Writes nothing and takes no lock.</summary>
internal sealed class PlanEndpoint(RepairRun run, RequestRates rates, ExporterSettings settings) : IDisposable
{
    public const string Path = "/api/v1/plan";

    /// <summary>One at a time: a plan takes connections from the scrapes.</summary>
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>200 with the document; 400 when a parameter is wrong; 503 with a document without plan when the database is away.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        if (PlanQuery.Read(context.Request.Query, out var bad) is not { } query)
        {
            await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, $"{bad!.Name}: {bad.Detail}", bad.Name);
            return;
        }
        if (!await PeoplesRate.LetsInAsync(rates.Looks, context)) return;
        try
        {
            await AnswerAsync(context, query);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Whoever asked went away.
        }
        catch (AuditException error)
        {
            await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, error.Message);
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, $"The database could not be read {FailureReason.Told(error)}");
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task AnswerAsync(HttpContext context, PlanQuery query)
    {
        RepairPlan? plan;
        FindingsReport report;
        await _one.WaitAsync(context.RequestAborted);
        try
        {
            (plan, report) = await run.PlanAsync(new RunRequest { Asker = new Asker(RunSource.Api, "plan"), Filter = query.Filter, Ids = query.Ids }, context.RequestAborted);
        }
        finally
        {
            _one.Release();
        }
        context.Response.StatusCode = plan is null ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.WriteAsync(PlanDocument.Of(plan, report, settings.Remediation.Mode).ToJson(), context.RequestAborted);
    }
}

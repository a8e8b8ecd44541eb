using HarborScanExporter.Diagnosis;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Http;

/// <summary>
/// POST of /api/v1/repairs: a run for a person or a script. It is answered when the run has ended, which may take the minute of a second look;
/// whoever hangs up ends nothing, for a proxy that is impatient must not break a run off.
/// </summary>
internal sealed class RepairsEndpoint(
    RepairRun run, RequestRates rates, RemediationCounters counters, ExporterSettings settings, IHostApplicationLifetime lifetime)
{
    public const string Path = "/api/v1/repairs";

    private const int MostDepth = 8;

    /// <summary>200 with what the run did; 4xx when it was not begun; 503 with the same document when the database could not be used or the exporter ended it.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        counters.Requested();
        var (request, problem) = await RequestAsync(context);
        if (problem is not null)
        {
            counters.Reject(problem.Reason);
            await problem.WriteAsync(context);
            return;
        }
        if (!await PeoplesRate.LetsInAsync(request!.Mode == RemediationMode.Execute ? rates.Writes : rates.Looks, context))
        {
            counters.Reject(RejectReason.Rate);
            return;
        }
        var result = await RunAsync(request);
        if (result is { End: RunEnd.Busy, Outcomes.Count: 0 })
        {
            counters.Reject(RejectReason.Busy);
            await Problem.WriteAsync(context, StatusCodes.Status409Conflict, $"{result.Problem} Try again when it has ended; {PlanEndpoint.Path} can be asked meanwhile.");
        }
        else
        {
            context.Response.StatusCode = result.End is RunEnd.Failed or RunEnd.Interrupted ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
            context.Response.ContentType = "application/json; charset=utf-8";
            await context.Response.WriteAsync(RunDocument.Of(result).ToJson(), context.RequestAborted);
        }
    }

    private async Task<(RepairRequest? Request, BodyProblem? Problem)> RequestAsync(HttpContext context)
    {
        var (body, problem) = await JsonBody.ReadAsync(context, OperationsRoute.LeastBodyBytes, MostDepth);
        using var document = body;
        if (problem is not null) return (null, problem);
        if (RepairRequest.Read(document!.RootElement, out var bad) is not { } request)
            return (null, new BodyProblem(StatusCodes.Status400BadRequest, RejectReason.BadBody, $"{bad!.Name}: {bad.Detail}", bad.Name));
        return settings.Remediation.Mode switch
        {
            RemediationMode.Off => (null, new BodyProblem(StatusCodes.Status403Forbidden, RejectReason.Off,
                $"Repairs are off. Set {Setting.Names.Remediation} to {RemediationMode.DryRun.Word()} or {RemediationMode.Execute.Word()}.")),
            RemediationMode.DryRun when request.Mode == RemediationMode.Execute => (null, new BodyProblem(StatusCodes.Status403Forbidden, RejectReason.Ceiling,
                $"Nothing is written while {Setting.Names.Remediation} is {RemediationMode.DryRun.Word()}. Ask for mode {RemediationMode.DryRun.Word()}, or set it to {RemediationMode.Execute.Word()}.", "mode")),
            _ => (request, null),
        };
    }

    private Task<RunResult> RunAsync(RepairRequest request) => run.RunAsync(
        new RunRequest
        {
            Asker = request.Asked,
            DryRun = request.Mode == RemediationMode.DryRun,
            Filter = request.Filter,
            Ids = request.Ids,
            OverrideShare = request.OverrideShare,
        },
        lifetime.ApplicationStopping);
}

using System.Globalization;
using HarborScanExporter.Metrics;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Undo;

namespace HarborScanExporter.Http;

/// <summary>POST of /api/v1/repairs/{id}/undo: takes one repair back, where its rows are still as it left them.</summary>
internal sealed class UndoEndpoint(Undoing undoing, RequestRates rates, RemediationCounters counters, IHostApplicationLifetime lifetime)
{
    /// <summary>The parameter of the path.</summary>
    public const string Id = "id";

    public const string Path = $"{RepairsEndpoint.Path}/{{{Id}}}/undo";

    private const int MostDepth = 4;

    /// <summary>200 when it is taken back; 4xx when it is not; 503 when the database could not be used.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        counters.Requested();
        if (!long.TryParse(context.Request.RouteValues[Id] as string, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            await RefuseAsync(context, new BodyProblem(StatusCodes.Status400BadRequest, RejectReason.BadBody, "The id of a repair is a whole number.", Id));
            return;
        }
        var (asker, problem) = await AskerAsync(context);
        if (problem is not null)
        {
            await RefuseAsync(context, problem);
            return;
        }
        if (!await PeoplesRate.LetsInAsync(rates.Writes, context))
        {
            counters.Reject(RejectReason.Rate);
            return;
        }
        UndoResult result;
        try
        {
            // As with a run, whoever hangs up ends nothing.
            result = await undoing.UndoAsync(id, asker!, lifetime.ApplicationStopping);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, $"The exporter ends. Ask again whether repair {id} was taken back.");
            return;
        }
        await AnswerAsync(context, id, result);
    }

    /// <summary>The body may be left out.</summary>
    private static async Task<(Asker? Asker, BodyProblem? Problem)> AskerAsync(HttpContext context)
    {
        if (context.Request.ContentLength is 0 or null && context.Request.Headers.TransferEncoding.Count == 0) return (new Asker(RunSource.Api, RequestMembers.Unnamed), null);
        var (body, problem) = await JsonBody.ReadAsync(context, OperationsRoute.LeastBodyBytes, MostDepth);
        using var document = body;
        if (problem is not null) return (null, problem);
        var members = new RequestMembers(document!.RootElement, "", RequestMembers.OfAsker);
        var asker = members.Asker();
        return members.Bad is { } bad
            ? (null, new BodyProblem(StatusCodes.Status400BadRequest, RejectReason.BadBody, $"{bad.Name}: {bad.Detail}", bad.Name))
            : (asker, null);
    }

    private async Task AnswerAsync(HttpContext context, long id, UndoResult result)
    {
        if (result.Done)
        {
            context.Response.ContentType = "application/json; charset=utf-8";
            await context.Response.WriteAsync(new UndoDocument(id, RepairState.Undone, result.Audit).ToJson(), context.RequestAborted);
            return;
        }
        if (RejectOf(result.Reason) is { } reason) counters.Reject(reason);
        await Problem.WriteAsync(context, StatusOf(result.Reason), result.Problem!);
    }

    private static int StatusOf(string? reason) => reason switch
    {
        UndoReason.NotFound => StatusCodes.Status404NotFound,
        UndoReason.Off => StatusCodes.Status403Forbidden,
        UndoReason.NotDone or UndoReason.NotUndoable or UndoReason.MovedOn or UndoReason.Busy or UndoReason.Standby => StatusCodes.Status409Conflict,
        _ => StatusCodes.Status503ServiceUnavailable,
    };

    private static string? RejectOf(string? reason) => reason switch
    {
        UndoReason.Off => RejectReason.Off,
        UndoReason.Busy => RejectReason.Busy,
        _ => null,
    };

    private Task RefuseAsync(HttpContext context, BodyProblem problem)
    {
        counters.Reject(problem.Reason);
        return problem.WriteAsync(context);
    }
}

using HarborScanExporter.Findings;

namespace HarborScanExporter.Http;

/// <summary>GET of /api/v1/findings: one look at Harbor as JSON.</summary>
internal sealed class FindingsEndpoint(FindingsGate gate)
{
    public const string Path = "/api/v1/findings";

    /// <summary>200 with the document; 400 when a parameter is wrong; 503 with a document that knows nothing when the database is away, and with a problem when a project is asked for and whose findings they are was not seen.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        if (FindingsQuery.Read(context.Request.Query, FindingsQuery.Parameters, out var bad) is not { } query)
        {
            await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, $"{bad!.Name}: {bad.Detail}", bad.Name);
            return;
        }
        FindingsReport report;
        try
        {
            report = await gate.ReadAsync(context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        if (query.Filter.CannotTell(report) is { } problem)
        {
            await Problem.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, problem, "project");
            return;
        }
        var document = FindingsDocument.Of(report, query.Filter.Of(report), query.Page, query.PageSize);
        context.Response.StatusCode = report.Problem is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json; charset=utf-8";
        await context.Response.WriteAsync(document.ToJson(), context.RequestAborted);
    }
}

using HarborScanExporter.Metrics;

namespace HarborScanExporter.Http;

/// <summary>Why a request's body cannot be used.</summary>
/// <param name="Status">A status of HTTP below 500.</param>
/// <param name="Reason">One of <see cref="RejectReason"/>.</param>
/// <param name="Detail">What is wrong with it and what to send.</param>
/// <param name="Parameter">The member that is wrong; null when it is none.</param>
internal sealed record BodyProblem(int Status, string Reason, string Detail, string? Parameter = null)
{
    /// <summary>Answers with it.</summary>
    public Task WriteAsync(HttpContext context) => Problem.WriteAsync(context, Status, Detail, Parameter);
}

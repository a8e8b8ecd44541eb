using HarborScanExporter.Findings;
using HarborScanExporter.Remediation.Presentation;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>What the status page shows.</summary>
/// <param name="Report">The findings.</param>
/// <param name="Repairs">What would be repaired, going by the same look.</param>
internal sealed record StatusView(FindingsReport Report, RepairPreview Repairs)
{
    /// <summary>The numbers of the look, counted once for the whole page.</summary>
    public FindingsDocument.SummaryPart Summary { get; } = FindingsDocument.SummaryPart.Of(Report);

    /// <summary>The job service, likewise.</summary>
    public FindingsDocument.JobServicePart JobService { get; } = FindingsDocument.JobServicePart.Of(Report);
}

/// <summary>Lets the pages that are asked for at the same time share one look and one plan: a plan takes a connection of the repairing role, which has two.</summary>
internal sealed class StatusGate
{
    private readonly JoinedRead<StatusView> _reading;

    public StatusGate(FindingsGate findings, RepairPreviewReader repairs) => _reading = new JoinedRead<StatusView>(async cancellationToken =>
    {
        var report = await findings.ReadAsync(cancellationToken);
        return new StatusView(report, await repairs.ReadAsync(report, cancellationToken));
    });

    /// <summary>Joins the view that is being made or begins one.</summary>
    /// <param name="hangUp">Whoever asked went away; it is given up when nobody else waits for it.</param>
    /// <exception cref="OperationCanceledException">Whoever asked went away.</exception>
    public Task<StatusView> ReadAsync(CancellationToken hangUp) => _reading.ReadAsync(hangUp);
}

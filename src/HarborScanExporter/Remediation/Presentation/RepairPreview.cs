using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Findings;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;
using HarborScanExporter.Settings;
using Npgsql;

namespace HarborScanExporter.Remediation.Presentation;

/// <summary>What the status page shows of repairs: what would be done now, what is left alone, and what was done.</summary>
internal sealed record RepairPreview
{
    public required RemediationMode Mode { get; init; }

    /// <summary>Null when none could be made, or while repairs are off.</summary>
    public RepairPlan? Plan { get; init; }

    /// <summary>The newest lines of the audit.</summary>
    public IReadOnlyList<AuditRow> Newest { get; init; } = [];

    /// <summary>Why there is no plan, with the mend; null when there is one, or when the report knows nothing.</summary>
    public string? Problem { get; init; }
}

/// <summary>Makes previews. Each goes by the look that the page has taken already, so that it costs no second collection.</summary>
internal sealed class RepairPreviewReader(RepairRun run, OperationsDatabase database, ExporterSettings settings, TimeProvider time)
{
    /// <summary>Lines of the audit that a page shows.</summary>
    private const int Newest = 20;

    private static readonly RunRequest Everything = new() { Asker = new Asker(RunSource.Api, "status page") };

    /// <summary>Makes one; it never fails but by its cancellation.</summary>
    /// <param name="report">A report that was made just now.</param>
    /// <param name="cancellationToken">Whoever asked went away.</param>
    public async Task<RepairPreview> ReadAsync(FindingsReport report, CancellationToken cancellationToken)
    {
        var nothing = new RepairPreview { Mode = settings.Remediation.Mode };
        if (nothing.Mode == RemediationMode.Off || report.Problem is not null) return nothing;
        try
        {
            // As with a collection, a call on a frozen network is given up and ends by itself later.
            return await ReadAsync(nothing, report, cancellationToken).WaitAsync(settings.ScrapeTimeout, time, cancellationToken);
        }
        catch (AuditException error)
        {
            return nothing with { Problem = error.Message };
        }
        catch (Exception error) when (error is NpgsqlException or IOException or TimeoutException)
        {
            return nothing with { Problem = RoleTrouble.Of(error) };
        }
    }

    private async Task<RepairPreview> ReadAsync(RepairPreview nothing, FindingsReport report, CancellationToken cancellationToken)
    {
        var plan = await run.PlanAsync(Everything, report, cancellationToken);
        await using var snapshot = await database.BeginAsync(settings.ScrapeTimeout, cancellationToken);
        var audit = await snapshot.ReadAsync((from, token) => AuditPage.ReadAsync(from, new AuditFilter(null, null, null), 1, Newest, token), cancellationToken);
        return nothing with { Plan = plan, Newest = audit.Lines };
    }
}

using HarborScanExporter.Diagnosis;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Execution;

/// <summary>What came of asking Harbor's API.</summary>
/// <param name="State">One of <see cref="RepairState"/>; intended while it is not known whether Harbor acted.</param>
/// <param name="Failure">One of <see cref="RepairFailure"/>; null when it did not fail.</param>
internal sealed record ActOutcome(string State, string? Failure);

/// <summary>Asks Harbor's API for one act; never fails by an exception but its cancellation.</summary>
internal delegate Task<ActOutcome> Act(PlannedRepair repair, CancellationToken cancellationToken);

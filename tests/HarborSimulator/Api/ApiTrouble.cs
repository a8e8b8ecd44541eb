namespace HarborSimulator.Api;

/// <summary>What goes wrong with one request.</summary>
/// <param name="Status">The status that a proxy answers instead of Harbor; null when the connection is dropped without an answer.</param>
/// <param name="AfterActing">Whether Harbor acts before that.</param>
internal sealed record ApiTrouble(int? Status, bool AfterActing);

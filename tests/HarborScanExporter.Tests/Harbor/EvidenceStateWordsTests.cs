using HarborScanExporter.Harbor;


namespace HarborScanExporter.Tests.Harbor;

/// <summary>Each state of Redis has a word of its own.</summary>
public sealed class EvidenceStateWordsTests
{
    [Fact]
    public void Every_state_has_its_word() => Assert.Equal(
        ["not_configured", "usable", "unreachable", "refused", "empty", "foreign", "stale"], Enum.GetValues<EvidenceState>().Select(state => state.Word()));
}

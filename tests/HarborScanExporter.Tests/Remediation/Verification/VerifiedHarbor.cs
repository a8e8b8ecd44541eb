using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Verification;
using Microsoft.Extensions.DependencyInjection;

namespace HarborScanExporter.Tests.Remediation.Verification;

/// <summary>Looks at repairs as if so much time had passed: the lines of the audit are made older.</summary>
internal static class VerifiedHarbor
{
    /// <summary>Makes all lines so much older.</summary>
    public static Task AgeAsync(this RepairingHarbor harbor, TimeSpan age) =>
        harbor.Seed.ExecuteAsync($"update harbor_scan.repair set at = at - interval '{age.TotalSeconds} seconds', ended_at = ended_at - interval '{age.TotalSeconds} seconds'");

    /// <summary>One pass of this process.</summary>
    public static Task<TimeSpan?> VerifyAsync(this RepairingHarbor harbor) =>
        harbor.Pieces.GetRequiredService<RepairVerification>().PassAsync(TestContext.Current.CancellationToken);

    /// <summary>A line each: action, state, looks, what was seen.</summary>
    public static Task<string> SeenAsync(this RepairingHarbor harbor) => harbor.Harbor.Database.ScalarAsync<string>(
        "select coalesce(string_agg(concat_ws(' ', action, state, checks, verification), E'\\n' order by id), '') from harbor_scan.repair");

    /// <summary>Sees everything twice and repairs it.</summary>
    /// <returns>The lines, in their order.</returns>
    public static async Task<long[]> RepairAsync(this RepairingHarbor harbor)
    {
        await harbor.SeeTwiceAsync();
        var result = await harbor.RunAsync(overrideShare: true);
        Assert.Null(result.Problem);
        Assert.All(result.Outcomes, outcome => Assert.Equal(RepairState.Done, outcome.State));
        return [.. result.Outcomes.Select(outcome => outcome.Audit!.Value).Order()];
    }
}

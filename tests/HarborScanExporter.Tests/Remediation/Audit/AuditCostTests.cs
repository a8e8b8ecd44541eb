using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Remediation.Audit;

/// <summary>What a long audit costs a run, which reads it under the lock of a run.</summary>
public sealed class AuditCostTests
{
    [Fact]
    public async Task A_plan_reads_the_last_day_of_the_audit_and_no_line_before_it()
    {
        await using var repairing = await RepairingHarbor.StartAsync();
        await new AuditSeed(repairing.Harbor).AddAsync("finish_task", ago: TimeSpan.FromDays(30), copies: 20_000);
        await repairing.Harbor.Database.ExecuteAsync("vacuum analyze harbor_scan.repair");
        await repairing.LookAsync();
        await repairing.Harbor.CountsArePublishedAsync();
        var before = await PagesReadAsync(repairing.Harbor);
        Assert.Empty((await repairing.PlanAsync()).Repairs);
        await repairing.Pieces.DisposeAsync();
        await repairing.Harbor.CountsArePublishedAsync(repairing.Harbor.Role, repairing.Harbor.RepairRole);
        var after = await PagesReadAsync(repairing.Harbor);
        Assert.True(after.Index > before.Index, "The server counted nothing.");
        Assert.True(after.Table - before.Table < 20, $"{after.Table - before.Table} pages of the table were read.");
    }

    /// <summary>Pages of the audit and of its indexes that were read, from the disk or from memory.</summary>
    internal static async Task<(long Table, long Index)> PagesReadAsync(TestHarbor harbor) =>
    (
        await harbor.Database.ScalarAsync<long>("select heap_blks_read + heap_blks_hit from pg_statio_user_tables where relname = 'repair'"),
        await harbor.Database.ScalarAsync<long>("select idx_blks_read + idx_blks_hit from pg_statio_user_tables where relname = 'repair'")
    );
}

using HarborScanExporter.Database.Queries;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Metrics.Collectors;
using HarborScanExporter.Tests.Support;


namespace HarborScanExporter.Tests.Database;

/// <summary>Which executions lie beyond Harbor's retention is written twice: for those in doubt, and for the count over all. Both agree on each row.</summary>
public sealed class SweepRowsTests
{
    [Fact]
    public async Task An_execution_that_started_before_those_that_Harbor_keeps()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, async () =>
        {
            await seed.ExecutionAsync(status: "Success", vendorId: 1);
            await seed.ExecutionAsync(status: "Running", vendorId: 1);
            await seed.ExecuteAsync("update execution set start_time = case id when 1 then '2026-09-21 12:00:00' else '2026-09-21 12:00:01' end::timestamp");
        });
        (string, string, string)[] cases =
        [
            ("started before the newest", "", "1"),
            ("Error", Change("status = 'Error'"), "1"),
            ("Stopped", Change("status = 'Stopped'"), "1"),
            ("Running", Change("status = 'Running'"), ""),
            ("another word", Change("status = 'Strange'"), ""),
            ("started with the newest", Change("start_time = '2026-09-21 12:00:01'"), ""),
            ("of another vendor", Change("vendor_id = 2"), ""),
            ("of another type", Change("vendor_type = 'SBOM'"), ""),
            ("the newest is of another type", "update execution set vendor_type = 'SBOM' where id = 2", ""),
            ("the newest is of another vendor", "update execution set vendor_id = 2 where id = 2", ""),
        ];
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await SweepBlockLookup.IdsAsync(snapshot, [1, 2], 130, token))[ScanType.ImageScan]), cases);
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await SweepBlockLookup.IdsAsync(snapshot, [2, 7], 130, token))[ScanType.ImageScan]), ("not asked for", "", ""));
        await rows.ReadAsync(async (snapshot, token) => string.Join(' ', (await SweepBlockLookup.IdsAsync(snapshot, [1], 130, token))[ScanType.Sbom]),
            ("of an SBOM", "update execution set vendor_type = 'SBOM'", "1"), ("of a scan", "", ""));
        await rows.ReadAsync((snapshot, token) => SweepableAsync(snapshot, 130, token), [.. cases.Select(row => (row.Item1, row.Item2, row.Item3.Length == 0 ? "" : "IMAGE_SCAN 1"))]);
        // Of scan-alls Harbor kept five before it swept other scans too.
        foreach (var (count, beyond) in new[] { (5, ""), (6, "SCAN_ALL 1"), (7, "SCAN_ALL 2") })
        {
            await rows.ReadAsync((snapshot, token) => SweepableAsync(snapshot, 110, token), ($"{count} scan-alls",
                $"delete from execution; insert into execution (vendor_type, vendor_id, status, trigger, start_time) select 'SCAN_ALL', 1, 'Success', 'MANUAL', now() - interval '1 hour' * n from generate_series(1, {count}) n", beyond));
        }

        static string Change(string change) => $"update execution set {change} where id = 1";
    }

    [Fact]
    public async Task Reports_are_named_by_scans_of_any_type_and_by_nothing_else()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        var seed = new Seed(harbor);
        var rows = new DecidedRows(harbor, async () =>
        {
            await seed.TaskAsync(await seed.ExecutionAsync(), status: "Success", extraAttributes: """{"report_uuids":["u","s"]}""");
            await seed.TaskAsync(await seed.ExecutionAsync(), status: "Error", extraAttributes: """{"report_uuids":["u","s"]}""");
            await seed.ReportAsync("u", "sha256:u", stored: true);
            await seed.ExecuteAsync("truncate sbom_report; insert into sbom_report (uuid, artifact_id, registration_uuid, mime_type, media_type) values ('s', 1, 'r', 'm', 'm')");
        });
        (string, string, string)[] cases =
        [
            ("named by two scans", "", "0 0"),
            ("named by a scan-all", "update task set vendor_type = 'SCAN_ALL'", "0 0"),
            ("named by an SBOM", "update task set vendor_type = 'SBOM'", "0 0"),
            ("named by another job", "update task set vendor_type = 'REPLICATION'", "1 1"),
            ("others are named", """update task set extra_attrs = '{"report_uuids":["t"]}'""", "1 1"),
        ];
        await rows.ReadAsync(OrphansAsync, cases);
        // Without the functions, as for Harbor's own user, the columns themselves are read.
        await harbor.Database.ExecuteAsync($"revoke execute on all functions in schema harbor_scan from {harbor.Role}; grant select on task, execution to {harbor.Role}");
        await rows.ReadAsync(OrphansAsync, cases);

        static async Task<string> OrphansAsync(Snapshot snapshot, CancellationToken cancellationToken) =>
            $"{await OrphanReportLookup.ScanReportsAsync(snapshot, cancellationToken)} {await OrphanReportLookup.SbomReportsAsync(snapshot, cancellationToken)}";
    }

    private static async Task<string> SweepableAsync(Snapshot snapshot, long schemaVersion, CancellationToken cancellationToken) =>
        string.Join(' ', (await SweepableLookup.CountAsync(snapshot, schemaVersion, cancellationToken)).Where(type => type.Value != 0).Select(type => $"{type.Key} {type.Value}"));
}

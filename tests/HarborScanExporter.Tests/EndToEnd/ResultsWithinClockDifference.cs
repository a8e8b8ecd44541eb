using HarborScanExporter.Harbor;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// The open tasks whose report was made in the five minutes before them and is named by no other task: the scan that made it was swept. Those minutes are left
/// to the difference of clocks (design 3.3), so that a result so fresh is taken for theirs.
/// </summary>
internal static class ResultsWithinClockDifference
{
    /// <summary>Reads their ids.</summary>
    public static async Task<IReadOnlyCollection<long>> TasksAsync(TestHarbor harbor) =>
        [.. await harbor.Database.ScalarAsync<long[]>($$"""
            select coalesce(array_agg(t.id::bigint), '{}')
            from task t join scan_report r on t.extra_attrs::jsonb -> 'report_uuids' ? r.uuid
            where t.status in ('Pending', 'Scheduled', 'Running')
              and (r.report ->> 'generated_at')::timestamptz at time zone 'UTC' between t.creation_time - interval '{{ScanReport.ClockDifference}} s' and t.creation_time
              and not exists (select 1 from task o where o.id <> t.id and o.extra_attrs::jsonb -> 'report_uuids' ? r.uuid)
            """)];
}

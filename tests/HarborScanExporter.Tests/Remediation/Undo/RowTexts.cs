using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Remediation.Undo;

/// <summary>Whole rows as PostgreSQL writes them, so that a microsecond, an infinity or a NULL that went astray shows.</summary>
internal static class RowTexts
{
    /// <summary>All tasks, every column.</summary>
    public static Task<string> TasksAsync(TestHarbor harbor) => harbor.Database.ScalarAsync<string>("select coalesce(string_agg(t::text, E'\n' order by id), '') from task t");

    /// <summary>All executions, every column but the revision, which only ever rises.</summary>
    public static Task<string> ExecutionsAsync(TestHarbor harbor) => harbor.Database.ScalarAsync<string>("""
        select coalesce(string_agg(
            row(id, vendor_type, vendor_id, status, status_message, trigger, extra_attrs::text, start_time, end_time, update_time)::text, E'\n' order by id), '')
        from execution
        """);

    /// <summary>Revisions of all executions, by id.</summary>
    public static Task<string> RevisionsAsync(TestHarbor harbor) =>
        harbor.Database.ScalarAsync<string>("select coalesce(string_agg(coalesce(revision::text, 'null'), ' ' order by id), '') from execution");
}

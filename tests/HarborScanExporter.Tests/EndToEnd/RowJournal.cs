using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>A row of task or execution.</summary>
internal readonly record struct RowKey(bool IsTask, long Id)
{
    public override string ToString() => $"{(IsTask ? "task" : "execution")} {Id}";
}

/// <summary>What a change left of a row.</summary>
/// <param name="N">The number of the change.</param>
/// <param name="Key">The row.</param>
/// <param name="Change">i, u or d.</param>
/// <param name="Type">vendor_type.</param>
/// <param name="Old">The status before; null of a new row.</param>
/// <param name="New">The status after; null of a deleted row.</param>
/// <param name="IsNewRun">The revision is another.</param>
/// <param name="At">When, by the row's own word or the clock, whichever is later.</param>
/// <param name="OldTime">The newest time that the row held before.</param>
/// <param name="JobId">task.job_id</param>
/// <param name="Execution">task.execution_id; of an execution its own id.</param>
internal sealed record RowChange(
    long N, RowKey Key, string Change, string Type, string? Old, string? New, bool IsNewRun, DateTime At, DateTime? OldTime, string JobId, long Execution)
{
    public bool WasOpen => IsOpen(Old);

    public bool Opens => IsOpen(New);

    /// <summary>The row came to an end: it was open or new, or the end is that of another run.</summary>
    public bool Ends => New is not null && !Opens && (Old is null || WasOpen || IsNewRun || Old != New);

    private static bool IsOpen(string? status) => status is "Pending" or "Scheduled" or "Running";
}

/// <summary>The database itself writes down every change of a scan's rows, whoever makes it, within the transaction that makes it.</summary>
internal sealed class RowJournal(NpgsqlConnection connection)
{
    private const string InstallSql = """
        create schema journal;
        create table journal.change (
            n bigserial primary key, is_task bool, id bigint, change text, type text, old_status text, new_status text, new_run bool, at timestamp, old_time timestamp, job_id text, execution bigint);
        create function journal.note() returns trigger language plpgsql security definer as $$
        declare
            moment timestamp := (select at at time zone 'utc' from clock.moment);
        begin
            if tg_op = 'UPDATE' and old.status is not distinct from new.status and tg_table_name = 'execution' then return null; end if;
            if tg_table_name = 'task' then
                insert into journal.change (is_task, id, change, type, old_status, new_status, new_run, at, old_time, job_id, execution) values (
                    true, coalesce(new.id, old.id), lower(left(tg_op, 1)), coalesce(new.vendor_type, old.vendor_type), old.status, new.status,
                    old.status_revision is distinct from new.status_revision, greatest(new.update_time, moment),
                    greatest(old.creation_time, old.update_time, old.end_time), coalesce(new.job_id, old.job_id, ''), coalesce(new.execution_id, old.execution_id));
            else
                insert into journal.change (is_task, id, change, type, old_status, new_status, new_run, at, old_time, job_id, execution) values (
                    false, coalesce(new.id, old.id), lower(left(tg_op, 1)), coalesce(new.vendor_type, old.vendor_type), old.status, new.status,
                    false, greatest(new.update_time, moment), greatest(old.start_time, old.update_time, old.end_time), '', coalesce(new.id, old.id));
            end if;
            return null;
        end $$;
        create trigger note after insert or update or delete on task for each row execute function journal.note();
        create trigger note after insert or update or delete on execution for each row execute function journal.note();
        """;

    /// <summary>Puts it into a database that has the one clock.</summary>
    public static Task InstallAsync(TestHarbor harbor) => harbor.Database.ExecuteAsync(InstallSql);

    /// <summary>What changed in rows of scans since the last call, in order; a change is seen when its transaction is over.</summary>
    public async Task<IReadOnlyList<RowChange>> ReadAsync()
    {
        List<RowChange> changes = [];
        await using (var command = new NpgsqlCommand("""
            delete from journal.change
            returning n, is_task, id, change, type, old_status, new_status, new_run, at, old_time, job_id, execution
            """, connection))
        {
            await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            {
                if (reader.GetString(4) is not ("IMAGE_SCAN" or "SCAN_ALL" or "SBOM")) continue;
                changes.Add(new RowChange(reader.GetInt64(0), new RowKey(reader.GetBoolean(1), reader.GetInt64(2)), reader.GetString(3), reader.GetString(4), Text(5), Text(6),
                    reader.GetBoolean(7), reader.GetDateTime(8), reader.IsDBNull(9) ? null : reader.GetDateTime(9), reader.GetString(10), reader.GetInt64(11)));

                string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
            }
        }
        return [.. changes.OrderBy(change => change.N)];
    }
}

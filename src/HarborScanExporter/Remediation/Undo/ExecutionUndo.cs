using Dapper;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Remediation.Undo;

/// <summary>Puts a row of execution back as far as that is still the truth.</summary>
internal static class ExecutionUndo
{
    // Repairs of one batch share one write of their execution, and an undo writes it too: the newest line that has an image of it tells whether
    // anybody else has written it since.
    private const string StandingSql = $"""
        select exists (
                   select
                   from harbor_scan.repair r
                   where r.id = (
                       select max(newest.id)
                       from harbor_scan.repair newest
                       where newest.execution_id = e.id and json_typeof(newest.after -> 'execution') = 'object')
                     and {LeftRows.ExecutionIsAsLeft}) as IsOurs,
               exists (
                   select
                   from harbor_scan.repair other
                   where other.execution_id = e.id and other.run = r.run and other.id <> r.id and other.state = 'done' and other.action <> 'undo'
                     and json_typeof(other.after -> 'execution') = 'object') as HasSiblings,
               exists (
                   select
                   from harbor_scan.repair later
                   where later.execution_id = e.id and later.run <> r.run and later.id > r.id and later.state = 'done' and later.action <> 'undo'
                     and json_typeof(later.after -> 'execution') = 'object') as HasLater,
               exists (
                   select
                   from harbor_scan.repair undo
                   join harbor_scan.repair earlier on earlier.id = undo.undo_of
                   where undo.execution_id = e.id and undo.id > r.id and earlier.id < r.id and earlier.run <> r.run) as HasEarlier,
               {LeftRows.ExecutionIsAsBefore} as IsAsBefore,
               coalesce(json_typeof(r.before -> 'execution') = 'object', false) as HasBefore,
               {LeftRows.StatusBefore} as Before
        from execution e
        join harbor_scan.repair r on r.execution_id = e.id
        where r.id = @Id
        """;

    private const string RestoreSql = """
        select harbor_scan.restore_execution(r.execution_id, r.before -> 'execution')
        from harbor_scan.repair r
        where r.id = @Id
        """;

    /// <summary>Takes back a repair of the execution itself; after is null when the row is no longer as repairs left it, null for all when it is gone.</summary>
    public static async Task<ExecutionImages?> TakeBackAsync(RepairTransaction transaction, UndoLine line, CancellationToken cancellationToken)
    {
        if (await ExecutionWrite.LockAsync(transaction, line.ExecutionId!.Value, cancellationToken) is not { } locked) return null;
        var standing = await StandingAsync(transaction, line.Id, cancellationToken);
        return new ExecutionImages(locked.Image, standing is { IsOurs: true, HasLater: false } ? await RestoreAsync(transaction, line.Id, cancellationToken) : null);
    }

    /// <summary>
    /// Lets the execution follow a task that was put back. It becomes what it was where no one else has written it and what it was is true for its
    /// tasks as they are now; another repair of it that stands, an earlier one that does no longer, or a hook since, asks for the status of its tasks
    /// instead.
    /// </summary>
    public static async Task<ExecutionImages?> FollowAsync(RepairTransaction transaction, UndoLine line, CancellationToken cancellationToken)
    {
        if (await ExecutionWrite.LockAsync(transaction, line.ExecutionId!.Value, cancellationToken) is not { } locked) return null;
        var standing = await StandingAsync(transaction, line.Id, cancellationToken);
        if (standing is not { IsOurs: true, HasBefore: true }
            || ((standing.HasSiblings || standing.HasLater || standing.HasEarlier) && standing.Before != await ExecutionWrite.StatusAsync(transaction, line.ExecutionId.Value, cancellationToken)))
            return await ExecutionWrite.RecomputeAsync(transaction, line.ExecutionId.Value, cancellationToken);
        // The undo of a sibling has put it back already.
        if (standing.IsAsBefore) return null;
        return new ExecutionImages(locked.Image, await RestoreAsync(transaction, line.Id, cancellationToken));
    }

    private static async Task<Standing?> StandingAsync(RepairTransaction transaction, long line, CancellationToken cancellationToken) =>
        await transaction.Connection.QueryFirstOrDefaultAsync<Standing>(
            StandingSql, new TaskWrite.IdParameters { Id = line, CancellationToken = cancellationToken }, transaction.Transaction);

    private static Task<string?> RestoreAsync(RepairTransaction transaction, long line, CancellationToken cancellationToken) =>
        transaction.Connection.QueryFirstOrDefaultAsync<string?>(
            RestoreSql, new TaskWrite.IdParameters { Id = line, CancellationToken = cancellationToken }, transaction.Transaction);

    internal sealed record Standing
    {
        /// <summary>Nobody but repairs and undos has written it since.</summary>
        public bool IsOurs { get; init; }

        /// <summary>Another repair of the same batch, not taken back, rests on the same write.</summary>
        public bool HasSiblings { get; init; }

        /// <summary>A later repair, not taken back, has written it.</summary>
        public bool HasLater { get; init; }

        /// <summary>An earlier repair was taken back since: what the execution was rested on it.</summary>
        public bool HasEarlier { get; init; }

        public bool IsAsBefore { get; init; }

        /// <summary>Whether the repair wrote it.</summary>
        public bool HasBefore { get; init; }

        /// <summary>Its status before the repair.</summary>
        public string? Before { get; init; }
    }
}

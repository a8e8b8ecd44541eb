namespace HarborScanExporter.Remediation;

/// <summary>
/// Conditions on whether a row is still as a line of the audit left it, and the columns that put it back. The server takes each out of the image
/// itself: a time that went through a client's type would lose the year one, infinity or a microsecond.
/// </summary>
internal static class LeftRows
{
    /// <summary>Task <c>t</c> is in every column that a repair writes as the after image of line <c>r</c>.</summary>
    public const string TaskIsAsLeft = """
        t.status = (r.after -> 'task' -> 'status') #>> '{}'
          and t.status_code = ((r.after -> 'task' -> 'status_code') #>> '{}')::bigint
          and t.status_revision is not distinct from ((r.after -> 'task' -> 'status_revision') #>> '{}')::bigint
          and t.status_message is not distinct from ((r.after -> 'task' -> 'status_message') #>> '{}')
          and t.update_time is not distinct from ((r.after -> 'task' -> 'update_time') #>> '{}')::timestamp
          and t.end_time is not distinct from ((r.after -> 'task' -> 'end_time') #>> '{}')::timestamp
        """;

    /// <summary>Every column of a task that a repair writes, from the before image of line <c>r</c>.</summary>
    public const string TaskBefore = """
        status = (r.before -> 'task' -> 'status') #>> '{}',
            status_code = ((r.before -> 'task' -> 'status_code') #>> '{}')::bigint,
            status_message = (r.before -> 'task' -> 'status_message') #>> '{}',
            update_time = ((r.before -> 'task' -> 'update_time') #>> '{}')::timestamp,
            end_time = ((r.before -> 'task' -> 'end_time') #>> '{}')::timestamp
        """;

    /// <summary>Execution <c>e</c> is as the after image of line <c>r</c>, its revision too: nobody has written it since.</summary>
    public const string ExecutionIsAsLeft = """
        e.status is not distinct from ((r.after -> 'execution' -> 'status') #>> '{}')
          and e.revision is not distinct from ((r.after -> 'execution' -> 'revision') #>> '{}')::bigint
          and e.status_message is not distinct from ((r.after -> 'execution' -> 'status_message') #>> '{}')
          and e.update_time is not distinct from ((r.after -> 'execution' -> 'update_time') #>> '{}')::timestamp
          and e.end_time is not distinct from ((r.after -> 'execution' -> 'end_time') #>> '{}')::timestamp
        """;

    /// <summary>Execution <c>e</c> is, but for its revision, as the before image of line <c>r</c>.</summary>
    public const string ExecutionIsAsBefore = """
        e.status is not distinct from ((r.before -> 'execution' -> 'status') #>> '{}')
          and e.status_message is not distinct from ((r.before -> 'execution' -> 'status_message') #>> '{}')
          and e.update_time is not distinct from ((r.before -> 'execution' -> 'update_time') #>> '{}')::timestamp
          and e.end_time is not distinct from ((r.before -> 'execution' -> 'end_time') #>> '{}')::timestamp
        """;

    /// <summary>The status of the execution in the before image of line <c>r</c>.</summary>
    public const string StatusBefore = "(r.before -> 'execution' -> 'status') #>> '{}'";

    /// <summary>Every column of an execution that a repair writes, from the before image of line <c>r</c>; the revision, Harbor's optimistic lock, only ever rises.</summary>
    public const string ExecutionBefore = """
        status = (r.before -> 'execution' -> 'status') #>> '{}',
            status_message = (r.before -> 'execution' -> 'status_message') #>> '{}',
            revision = coalesce(e.revision, 0) + 1,
            update_time = ((r.before -> 'execution' -> 'update_time') #>> '{}')::timestamp,
            end_time = ((r.before -> 'execution' -> 'end_time') #>> '{}')::timestamp
        """;
}

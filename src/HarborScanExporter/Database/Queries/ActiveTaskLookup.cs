using Dapper;
using HarborScanExporter.Database.Session;
using HarborScanExporter.Harbor;
using Npgsql;

namespace HarborScanExporter.Database.Queries;

/// <summary>Reads scan tasks by ranges of their primary key.</summary>
internal static class ActiveTaskLookup
{
    /// <summary>Ids so close are read as one range: a page of the table holds about thirty rows.</summary>
    public const int Gap = 16;

    /// <summary>Finished rows are only looked at for their status: passing over more of them costs less than a descent of the index.</summary>
    public const int FinishedGap = 64;

    private const string Columns = """
        t.vendor_type as Type, t.status as Status, t.id::bigint as Id, t.execution_id::bigint as ExecutionId, t.status_code::bigint as Code, coalesce(t.status_revision, 0)::bigint as Revision,
        coalesce(t.run_count, 0)::bigint as Runs, t.job_id as JobId, date_part('epoch', t.creation_time) as Created, date_part('epoch', t.start_time) as Started,
        date_part('epoch', t.update_time) as Updated, date_part('epoch', t.end_time) as Ended
        """;

    private const string OfScans = "t.vendor_type in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')";

    // Branches of their own, so that the open ones can use the optional index, and addresses lead to their pages whatever the planner thinks of the ids.
    private const string Sql = $"""
        select whole.*
        from unnest(@Lows, @Highs) as r (low, high)
        cross join lateral (select {Columns}, case when r.low = r.high then t.ctid::text end as Address
                            from task t
                            where t.id >= r.low and t.id <= r.high and {OfScans} offset 0) whole
        union all
        select opened.*, null
        from unnest(@FinishedLows, @FinishedHighs) as r (low, high)
        cross join lateral (select {Columns}
                            from task t
                            where t.id >= r.low and t.id <= r.high and t.status in ('Pending', 'Scheduled', 'Running') and {OfScans} offset 0) opened
        union all
        select addressed.*
        from (select {Columns}, t.ctid::text as Address from task t where t.ctid = any(@Addresses::tid[]) and {OfScans} offset 0) addressed
        where addressed.Id = any(@Ids)
        """;

    private const string ByJobSql = $"""
        select {Columns}, null as Address
        from task t
        where t.job_id = any(@Jobs) and {OfScans}
        """;

    // What other jobs tell of hooks: the newest rows alone, and by the same rule as HookActivity.BitOf.
    private const string OthersSql = """
        select bit_or(1::bigint << greatest(0, floor(@Now / 600)::bigint - floor(date_part('epoch', update_time) / 600)::bigint)::int)
        from task
        where id > @Above
          and vendor_type not in ('IMAGE_SCAN', 'SCAN_ALL', 'SBOM')
          and update_time >= to_timestamp((floor(@Now / 600) - 62) * 600) at time zone 'utc'
          and update_time < to_timestamp(@Now + 300) at time zone 'utc'
          and status_revision > 0
          and update_time = date_trunc('second', update_time)
          and not (status = 'Stopped' and status_code < 3)
        """;

    /// <summary>The tasks in these ranges.</summary>
    /// <param name="snapshot">The transaction.</param>
    /// <param name="whole">Of these ranges every scan task.</param>
    /// <param name="finished">Of these only those that are open.</param>
    /// <param name="addresses">Where the single ones among the first stood.</param>
    /// <param name="cancellationToken">Cancels on the server too.</param>
    public static Task<IReadOnlyList<ScanTask>> ReadAsync(
        Snapshot snapshot, IdRanges whole, IdRanges finished, RowAddresses<long> addresses, CancellationToken cancellationToken) =>
        AddressedRanges.ReadAsync<ScanTask>(
            addresses, whole, finished, (ranges, over, known, read) => RangesAsync(snapshot, ranges, over, known, read, cancellationToken));

    private static async Task<List<ScanTask>> RangesAsync(
        Snapshot snapshot, IdRanges whole, IdRanges finished, Dictionary<long, string> known, Dictionary<long, string> read, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, snapshot.Connection, snapshot.Transaction);
        command.Parameters.AddWithValue("Lows", whole.Lows);
        command.Parameters.AddWithValue("Highs", whole.Highs);
        command.Parameters.AddWithValue("FinishedLows", finished.Lows);
        command.Parameters.AddWithValue("FinishedHighs", finished.Highs);
        command.Parameters.AddWithValue("Addresses", known.Values.ToArray());
        command.Parameters.AddWithValue("Ids", known.Keys.ToArray());
        return await ReadAsync(command, read, cancellationToken);
    }

    /// <summary>The scan tasks of these jobs; by index since <see cref="HarborSchema.JobIndexSince"/>.</summary>
    public static async Task<IReadOnlyList<ScanTask>> ByJobAsync(Snapshot snapshot, string[] jobs, CancellationToken cancellationToken)
    {
        if (jobs.Length == 0) return [];
        await using var command = new NpgsqlCommand(ByJobSql, snapshot.Connection, snapshot.Transaction);
        command.Parameters.AddWithValue("Jobs", jobs);
        return await ReadAsync(command, [], cancellationToken);
    }

    /// <summary>Read without a row object of its own for each: after an outage there are tens of thousands, at every scrape.</summary>
    private static async Task<List<ScanTask>> ReadAsync(NpgsqlCommand command, Dictionary<long, string> addresses, CancellationToken cancellationToken)
    {
        List<ScanTask> tasks = [];
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (type, status, id, execution, code, revision, runs) = (Of("Type"), Of("Status"), Of("Id"), Of("ExecutionId"), Of("Code"), Of("Revision"), Of("Runs"));
        var (job, created, started, updated, ended, address) = (Of("JobId"), Of("Created"), Of("Started"), Of("Updated"), Of("Ended"), Of("Address"));
        while (await reader.ReadAsync(cancellationToken))
        {
            tasks.Add(new ScanTask
            {
                Type = TypeOf(reader.GetString(type)),
                Status = StatusOf(reader.IsDBNull(status) ? null : reader.GetString(status)),
                Id = reader.GetInt64(id),
                ExecutionId = reader.GetInt64(execution),
                StatusCode = reader.GetInt64(code),
                StatusRevision = reader.GetInt64(revision),
                RunCount = reader.GetInt64(runs),
                JobId = reader.IsDBNull(job) ? "" : reader.GetString(job),
                Created = Time(created),
                Started = Time(started),
                Updated = Time(updated),
                Ended = Time(ended),
            });
            if (!reader.IsDBNull(address)) addresses[tasks[^1].Id] = reader.GetString(address);
        }
        return tasks;

        int Of(string column) => reader.GetOrdinal(column);

        double? Time(int column) => reader.IsDBNull(column) ? null : Epoch.Usable(reader.GetDouble(column));
    }

    /// <summary>The one text of the word: what is remembered for each row is not one more.</summary>
    private static string TypeOf(string word)
    {
        foreach (var known in ScanType.All)
        {
            if (known == word) return known;
        }
        return word;
    }

    /// <inheritdoc cref="TypeOf"/>
    private static string StatusOf(string? word)
    {
        foreach (var known in ScanStatus.Labels)
        {
            if (known == word) return known;
        }
        return ScanStatus.Other;
    }

    /// <summary>The hooks that tasks of other types above this id show: a mask of <see cref="HookActivity"/>.</summary>
    public static async Task<long> HooksOfOthersAsync(Snapshot snapshot, long above, double now, CancellationToken cancellationToken) =>
        await snapshot.Connection.QueryFirstOrDefaultAsync<long?>(
            OthersSql, new OthersParameters { Above = above, Now = now, CancellationToken = cancellationToken }, snapshot.Transaction) ?? 0;

    internal sealed record OthersParameters
    {
        public required long Above { get; init; }

        public required double Now { get; init; }

        public required CancellationToken CancellationToken { get; init; }
    }
}

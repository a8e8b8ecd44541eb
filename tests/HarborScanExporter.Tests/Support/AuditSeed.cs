using System.Globalization;

namespace HarborScanExporter.Tests.Support;

/// <summary>Writes lines of the audit as facts about the past, of which nothing is to be verified any more; the table must be there.</summary>
internal sealed class AuditSeed(TestHarbor harbor)
{
    /// <summary>Lines that are alike.</summary>
    /// <param name="action">The word of an action, or undo.</param>
    /// <param name="state">intended, done, failed, no_effect or undone.</param>
    /// <param name="failure">Why it failed.</param>
    /// <param name="verification">What was found afterwards.</param>
    /// <param name="ago">When it was written.</param>
    /// <param name="source">The way in.</param>
    /// <param name="copies">How many; each of a thing of its own.</param>
    public Task AddAsync(string action, string state = "done", string? failure = null, string? verification = null, TimeSpan? ago = null, string source = "alert", int copies = 1) =>
        harbor.Database.ExecuteAsync($$"""
            insert into harbor_scan.repair (at, run, source, actor, action, state, failure, verdict, evidence, task_id, execution_id, revision, before, ended_at, checks, verification)
            select clock_timestamp() - interval '{{(ago ?? TimeSpan.Zero).TotalSeconds.ToString(CultureInfo.InvariantCulture)}} seconds', 'seeded', '{{source}}', 'HarborScanLost',
                   '{{action}}', '{{state}}', {{Quote(failure)}}, 'lost', '[]', thing, thing, 0, json_build_object('task', repeat(md5(thing::text), 40)),
                   case when '{{state}}' <> 'intended' then clock_timestamp() end, 2, {{Quote(verification)}}
            from generate_series(1, {{copies}}) thing
            """);

    private static string Quote(string? word) => word is null ? "null" : $"'{word}'";
}

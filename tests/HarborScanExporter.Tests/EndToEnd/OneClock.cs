using System.Globalization;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.EndToEnd;

/// <summary>
/// One clock for a simulated Harbor, its database and the exporters that read it: for their role PostgreSQL's own functions of time, replaced in that
/// database, answer the simulated time. So nothing grows older between two reads, and an hour takes no time.
/// </summary>
internal sealed class OneClock
{
    private static readonly string[] Functions = ["clock_timestamp", "statement_timestamp", "transaction_timestamp", "now"];

    private readonly TestHarbor _harbor;

    private OneClock(TestHarbor harbor, DateTime start) => (_harbor, Time) = (harbor, new FakeTimeProvider(start));

    /// <summary>The exporters' own clock.</summary>
    public FakeTimeProvider Time { get; }

    /// <summary>Puts the clock into the database. Exporters must be started after it.</summary>
    public static async Task<OneClock> InstallAsync(TestHarbor harbor, DateTime start)
    {
        await harbor.Database.ExecuteAsync($"""
            create schema clock;
            create table clock.moment as select timestamptz '{Text(start)}' as at;
            grant usage on schema clock to {harbor.Role};
            grant select on clock.moment to {harbor.Role};
            {string.Concat(Functions.Select(name => $"""
                alter function pg_catalog.{name}() rename to real_{name};
                create function pg_catalog.{name}() returns timestamptz language sql stable as
                    'select case when session_user = ''{harbor.Role}'' then (select at from clock.moment) else pg_catalog.real_{name}() end';
                """))}
            """);
        return new OneClock(harbor, start);
    }

    /// <summary>Leads the database and the exporters to a moment.</summary>
    public async Task MoveToAsync(DateTime moment)
    {
        await _harbor.Database.ExecuteAsync($"update clock.moment set at = timestamptz '{Text(moment)}'");
        if (moment > Time.GetUtcNow().UtcDateTime) Time.SetUtcNow(moment);
    }

    private static string Text(DateTime moment) => moment.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) + "+00";
}

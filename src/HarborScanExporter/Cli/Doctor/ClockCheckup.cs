using HarborScanExporter.Harbor;
using HarborScanExporter.Text;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>A clock as this machine saw it.</summary>
/// <param name="Name">Whose it is.</param>
/// <param name="Ahead">Seconds by which it is ahead of this machine's.</param>
internal sealed record SeenClock(string Name, double Ahead)
{
    /// <summary>A clock read between two readings of this machine's.</summary>
    public static SeenClock Between(string name, DateTimeOffset before, double read, DateTimeOffset after) =>
        new(name, read - ((before.ToUnixTimeMilliseconds() + after.ToUnixTimeMilliseconds()) / 2000.0));
}

/// <summary>Compares the clocks: rows are aged by the database's, records and heartbeats by that of Redis. Pure.</summary>
internal static class ClockCheckup
{
    private const double Noticeable = 5;

    /// <summary>Lines of the clocks that could be read.</summary>
    public static IEnumerable<CheckupLine> Of(SeenClock? database, SeenClock? redis)
    {
        const string mend = "Synchronise the clocks (NTP) of the database's, Redis' and the job service's machines.";
        if (database is not null && redis is not null)
        {
            var apart = Math.Abs(database.Ahead - redis.Ahead);
            yield return apart switch
            {
                > WorkerPool.FreshSeconds => CheckupLine.Failed("clocks", $"The database's clock and that of Redis are {Words.Duration(apart)} apart: ages and heartbeats are judged wrongly.", mend),
                > Noticeable => CheckupLine.Warning("clocks", $"The database's clock and that of Redis are {Words.Duration(apart)} apart.", mend),
                _ => CheckupLine.Ok("clocks", "The clocks of the database and of Redis agree."),
            };
        }
        if ((database ?? redis) is not { } seen) yield break;
        yield return Math.Abs(seen.Ahead) > Noticeable
            ? CheckupLine.Warning("clock here", $"This machine's clock is {Words.Duration(Math.Abs(seen.Ahead))} {(seen.Ahead > 0 ? "behind" : "ahead of")} {seen.Name}; no verdict rests on it, logs do.", mend)
            : CheckupLine.Ok("clock here", $"This machine's clock agrees with {seen.Name}.");
    }
}

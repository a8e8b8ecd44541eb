using HarborScanExporter.Diagnosis;
using static HarborScanExporter.Tests.Support.DiagnosisSeed;

namespace HarborScanExporter.Tests.Diagnosis;

/// <summary>Since when the same was missing of the same row.</summary>
public sealed class SightingsTests
{
    private static readonly Sighting First = Sighting.Of(Waiting(Hour), Absence.Record);

    [Fact]
    public void The_first_look_has_seen_it_for_no_time() => Assert.Equal(0, Sightings.None.Next([First], 1000).SeenFor(First, 1000));

    [Fact]
    public void The_time_of_the_first_look_is_kept_while_it_is_seen()
    {
        var seen = Sightings.None.Next([First], 1000).Next([First], 1030).Next([First], 1059);
        Assert.Equal(59, seen.SeenFor(First, 1059));
        Assert.Equal(60, seen.Next([First], 1060).SeenFor(First, 1060));
    }

    [Fact]
    public void What_was_not_seen_once_begins_anew()
    {
        var seen = Sightings.None.Next([First], 1000).Next([], 1030).Next([First], 1060);
        Assert.Equal(0, seen.SeenFor(First, 1060));
    }

    [Fact]
    public void Another_absence_or_another_state_of_the_row_begins_anew()
    {
        var seen = Sightings.None.Next([First], 1000);
        foreach (var other in new[]
        {
            First with { Absence = Absence.Place }, First with { Absence = Absence.Pool }, First with { TaskId = 1 }, First with { Status = "Running" },
            First with { Revision = 7 }, First with { Updated = Now },
        })
        {
            Assert.Equal(0, seen.SeenFor(other, 1060));
            Assert.Equal(0, seen.Next([other], 1060).SeenFor(other, 1060));
        }
    }

    [Fact]
    public void It_holds_no_more_than_the_newest_look()
    {
        var seen = Sightings.None;
        for (var look = 0; look < 100; look++)
            seen = seen.Next(Enumerable.Range(look * 10, 10).SelectMany(id => new[] { First with { TaskId = id }, First with { TaskId = id } }), look);
        Assert.Equal(10, seen.Count);
    }
}

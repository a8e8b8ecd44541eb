namespace HarborScanExporter.Tests.Architecture;

/// <summary>
/// The rooms of the program and the edges between them. A room uses only what stands below it, so that each can be read, changed and tested
/// with what it rests on and nothing else.
/// </summary>
public sealed class RoomEdgesTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Text"] = [],
        ["Harbor"] = ["Text"],
        ["Settings"] = ["Text"],
        ["Failures"] = ["Settings"],
        ["Database"] = ["Failures", "Harbor", "Settings"],
        ["JobService"] = ["Failures", "Harbor", "Settings", "Text"],
        ["HarborApi"] = ["Failures", "Harbor", "Settings", "Text"],
        ["Diagnosis"] = ["Harbor", "Settings"],
        ["Tracking"] = ["Database", "Failures", "Harbor"],
        ["Observation"] = ["Database", "Diagnosis", "Failures", "Harbor", "HarborApi", "JobService", "Settings", "Tracking"],
        ["Findings"] = ["Database", "Diagnosis", "Failures", "Harbor", "Observation", "Settings", "Text"],
        ["Metrics"] = ["Database", "Diagnosis", "Failures", "Harbor", "Observation", "Settings", "Text", "Tracking"],
        ["Remediation"] = ["Database", "Diagnosis", "Failures", "Findings", "Harbor", "HarborApi", "JobService", "Metrics", "Observation", "Settings", "Text"],
        ["Http"] = ["Database", "Diagnosis", "Failures", "Findings", "Harbor", "Metrics", "Observation", "Remediation", "Settings", "Text"],
        ["Hosting"] = ["Database", "Diagnosis", "Failures", "Findings", "HarborApi", "Http", "JobService", "Metrics", "Observation", "Remediation", "Settings", "Text", "Tracking"],
        ["Cli"] = ["Database", "Diagnosis", "Failures", "Findings", "Harbor", "HarborApi", "Hosting", "Http", "JobService", "Metrics", "Observation", "Remediation", "Settings", "Text"],
        ["Program"] = ["Cli", "Hosting"],
    };

    [Fact]
    public void A_room_uses_only_the_rooms_below_it()
    {
        var uses = SourceRooms.Uses();
        Assert.Equal(Allowed.Keys.Order(StringComparer.Ordinal), uses.Select(use => use.From).Concat(uses.Select(use => use.To)).Distinct().Order(StringComparer.Ordinal));
        string[] others = [.. uses.Where(use => !Allowed[use.From].Contains(use.To)).Select(use => use.ToString())];
        Assert.Empty(others);
        var there = uses.Select(use => (use.From, use.To)).ToHashSet();
        // What is not used is not allowed: the picture is that of the source.
        (string From, string To)[] unused = [.. Allowed.SelectMany(room => room.Value.Select(below => (room.Key, below))).Where(edge => !there.Contains(edge))];
        Assert.Empty(unused);
    }

    [Fact]
    public void The_allowed_edges_make_no_circle()
    {
        HashSet<string> done = [];
        while (Allowed.Keys.Except(done).ToArray() is { Length: > 0 } left)
        {
            string[] next = [.. left.Where(room => Allowed[room].All(done.Contains))];
            Assert.True(next.Length > 0, $"In a circle, or above one: {string.Join(", ", left)}");
            done.UnionWith(next);
        }
    }
}

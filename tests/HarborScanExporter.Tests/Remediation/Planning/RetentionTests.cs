using CsCheck;
using HarborScanExporter.Harbor;
using HarborScanExporter.Remediation.Planning;

namespace HarborScanExporter.Tests.Remediation.Planning;

/// <summary>What a walk by falling id calls superseded, against Harbor's own rule.</summary>
public sealed class RetentionTests
{
    private sealed record Row(long Id, string Type, long? Artifact, double? Started);

    [Fact]
    public void Executions_of_artifacts_beyond_the_bound_are_kept_and_counted()
    {
        var retention = new Retention(1, 1);
        Assert.Null(retention.Meet(9, ScanType.ImageScan, 1, 9));
        Assert.Equal(9, retention.Meet(8, ScanType.ImageScan, 1, 8));
        Assert.Null(retention.Meet(7, ScanType.ImageScan, 2, 7));
        Assert.Null(retention.Meet(6, ScanType.ImageScan, 2, 6));
        Assert.Equal(2, retention.Untracked);
    }

    [Fact]
    public void Whatever_the_order_of_the_starts_nothing_is_superseded_that_Harbor_would_keep()
    {
        var row = Gen.Select(Gen.Int[0, 2].Select(type => ScanType.All[type]), Gen.Long[1, 4], Gen.Double[0, 40], Gen.Int[0, 9]);
        Gen.Select(row.Array[0, 60], Gen.Int[1, 5]).Sample((rows, kept) =>
        {
            Row[] all = [.. rows.Select((one, id) => new Row(id + 1, one.Item1, one.Item4 == 0 ? null : one.Item2, one.Item4 == 1 ? null : one.Item3))];
            var retention = new Retention(kept, 1000);
            Dictionary<long, long> superseded = [];
            foreach (var one in all.Reverse())
            {
                if (retention.Meet(one.Id, one.Type, one.Artifact, one.Started) is { } newer) superseded.Add(one.Id, newer);
            }
            foreach (var (id, newer) in superseded)
            {
                var (one, its) = (all[id - 1], all[newer - 1]);
                var later = all.Count(other => other.Type == one.Type && (one.Type == ScanType.ScanAll || other.Artifact == one.Artifact) && other.Started > one.Started);
                if (later < (one.Type == ScanType.ScanAll ? kept : 1) || its.Type != one.Type || !(its.Started > one.Started)) return false;
                if (one.Type != ScanType.ScanAll && (one.Artifact is null || its.Artifact != one.Artifact)) return false;
            }
            return true;
        });
    }

    [Fact]
    public void In_the_order_of_their_starts_all_but_the_newest_are_superseded()
    {
        var retention = new Retention(scanAlls: 2, mostArtifacts: 10);
        Assert.Equal([null, null, 90L, 80L], Met(retention, (90, "IMAGE_SCAN", 7, 900), (80, "IMAGE_SCAN", 8, 800), (70, "IMAGE_SCAN", 7, 700), (60, "IMAGE_SCAN", 8, 600)));
        Assert.Equal([null, null, 40L], Met(retention, (50, "SCAN_ALL", null, 500), (40, "SCAN_ALL", null, 400), (30, "SCAN_ALL", null, 300)));
        Assert.Equal([null], Met(retention, (20, "SBOM", 7, 200)));
    }

    [Fact]
    public void Artifacts_beyond_the_bound_keep_everything()
    {
        var retention = new Retention(scanAlls: 1, mostArtifacts: 2);
        Assert.Equal([null, null, null, null, 9L], Met(retention,
            (9, "IMAGE_SCAN", 1, 90), (8, "IMAGE_SCAN", 2, 80), (7, "IMAGE_SCAN", 3, 70), (6, "IMAGE_SCAN", 3, 60), (5, "IMAGE_SCAN", 1, 50)));
    }

    [Fact]
    public void What_started_within_the_same_second_is_kept() =>
        Assert.Equal([null, null, 9L], Met(new Retention(1, 10), (9, "IMAGE_SCAN", 1, 90.7), (8, "IMAGE_SCAN", 1, 90.1), (7, "IMAGE_SCAN", 1, 89.9)));

    private static long?[] Met(Retention retention, params (long Id, string Type, long? Artifact, double Started)[] rows) =>
        [.. rows.Select(row => retention.Meet(row.Id, row.Type, row.Artifact, row.Started))];
}

using System.Globalization;
using HarborScanExporter.Harbor;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace HarborScanExporter.Tests.Metrics;

/// <summary>What is counted of scans that ended, as it stands in /metrics.</summary>
public sealed class ScanCountersTests
{
    [Fact]
    public async Task Everything_is_there_with_0_before_the_first_scan_ends()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor, (Setting.Names.ReconciliationInterval, "1d"));
        var scrape = await exporter.ScrapeAsync();
        foreach (var type in ScanType.All)
        {
            foreach (var status in ScanStatus.Final) Assert.Equal(0, scrape.Value("harbor_scan_tasks_finished_total", ("type", type), ("status", status)));
            foreach (var family in (Family[])[ScanCounters.TaskDuration, ScanCounters.TaskWait, ScanCounters.TaskRun])
                Assert.Equal((string.Join(' ', Enumerable.Repeat(0, family.Buckets.Length + 1)), 0, 0), Histogram(scrape, family, type));
            Assert.Equal(0, scrape.Value("harbor_scan_task_starts_unseen_total", ("type", type)));
        }
    }

    [Fact]
    public async Task What_was_counted_is_in_every_scrape_and_only_of_its_type()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        await using var exporter = await RunningExporter.StartAsync(harbor, (Setting.Names.ReconciliationInterval, "1d"));
        var counters = exporter.Services.GetRequiredService<ScanCounters>();
        counters.Finished(ScanType.ImageScan, ScanStatus.Success, 5);
        counters.Finished(ScanType.ImageScan, ScanStatus.Success, 5.5);
        counters.Finished(ScanType.ImageScan, ScanStatus.Error, 100_000);
        counters.Finished(ScanType.Sbom, ScanStatus.Stopped, null);
        counters.Started(ScanType.ScanAll, 7200.25);
        counters.Started(ScanType.ScanAll, null);
        counters.Ran(ScanType.ScanAll, 42);
        counters.Ran(ScanType.ScanAll, 43);
        counters.StartUnseen(ScanType.ImageScan);
        for (var round = 0; round < 2; round++)
        {
            var scrape = await exporter.ScrapeAsync();
            Assert.Equal(
                ["{status=\"Error\",type=\"IMAGE_SCAN\"} 1", "{status=\"Stopped\",type=\"SBOM\"} 1", "{status=\"Success\",type=\"IMAGE_SCAN\"} 2"],
                scrape.NonZero("harbor_scan_tasks_finished_total"));
            Assert.Equal(("1 2 2 2 2 2 2 2 2 2 2 2 3", 3, 100_010.5), Histogram(scrape, ScanCounters.TaskDuration, ScanType.ImageScan));
            Assert.Equal(("0 0 0 0 0 0 0 0 0 0 0 0 0", 0, 0), Histogram(scrape, ScanCounters.TaskDuration, ScanType.Sbom));
            Assert.Equal(("0 0 0 0 0 0 0 0 0 0 1 1 1", 1, 7200.25), Histogram(scrape, ScanCounters.TaskWait, ScanType.ScanAll));
            Assert.Equal(("0 0 0 2 2 2 2 2 2 2 2 2 2", 2, 85), Histogram(scrape, ScanCounters.TaskRun, ScanType.ScanAll));
            Assert.Equal(["{type=\"IMAGE_SCAN\"} 1"], scrape.NonZero("harbor_scan_task_starts_unseen_total"));
        }
    }

    [Theory]
    [InlineData(-0.001)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    [InlineData(64e9)]
    public void A_time_that_no_scan_took_is_counted_as_an_end_and_not_as_a_duration(double seconds)
    {
        var counters = new ScanCounters();
        counters.Finished(ScanType.ImageScan, ScanStatus.Success, seconds);
        counters.Started(ScanType.ImageScan, seconds);
        counters.Ran(ScanType.ImageScan, seconds);
        var samples = new Samples();
        counters.Write(samples);
        var told = Assert.Single(samples.All, sample => sample.Value != 0);
        Assert.Equal((ScanCounters.TasksFinished, 1), (told.Family, told.Value));
    }

    [Fact]
    public void Nothing_is_lost_when_many_count_and_some_read()
    {
        var counters = new ScanCounters();
        Parallel.For(0, 8, worker =>
        {
            for (var number = 0; number < 1000; number++)
            {
                counters.Finished(ScanType.All[number % 3], ScanStatus.Final[number % 2], number % 20);
                counters.StartUnseen(ScanType.Sbom);
                if (number % 100 != 0) continue;
                var meanwhile = new Samples();
                counters.Write(meanwhile);
                // One moment: as many durations as ends.
                Assert.Equal(Total(meanwhile, ScanCounters.TasksFinished), Total(meanwhile, ScanCounters.TaskDuration));
            }
        });
        var samples = new Samples();
        counters.Write(samples);
        Assert.Equal((8000, 8000, 8000), (Total(samples, ScanCounters.TasksFinished), Total(samples, ScanCounters.TaskDuration), Total(samples, ScanCounters.StartsUnseen)));
    }

    [Fact]
    public void A_histogram_has_observations_and_all_others_have_values()
    {
        var samples = new Samples();
        var distribution = new Distribution(ScanCounters.TaskRun.Buckets);
        Assert.Throws<ArgumentException>(() => samples.Add(ScanCounters.TaskRun, 1, ScanType.Sbom));
        Assert.Throws<ArgumentException>(() => samples.Add(ScanCounters.StartsUnseen, distribution, ScanType.Sbom));
        Assert.Throws<ArgumentException>(() => samples.Add(ScanCounters.TaskRun, distribution));
        Assert.Empty(samples.All);
        Assert.Equal([FamilyType.Counter, FamilyType.Histogram, FamilyType.Histogram, FamilyType.Histogram, FamilyType.Counter], ScanCounters.Families.Select(family => family.Type));
        Assert.Equal(FamilyType.Gauge, ScrapeFamilies.Up.Type);
    }

    /// <summary>The cumulative buckets, the count and the sum of one series.</summary>
    private static (string Buckets, double Count, double Sum) Histogram(MetricsDocument scrape, Family family, string type)
    {
        var bounds = family.Buckets.Select(bound => bound.ToString(CultureInfo.InvariantCulture)).Append("+Inf");
        return (
            string.Join(' ', bounds.Select(bound => scrape.Value($"{family.Name}_bucket", ("type", type), ("le", bound)))),
            scrape.Value($"{family.Name}_count", ("type", type)),
            scrape.Value($"{family.Name}_sum", ("type", type)));
    }

    private static double Total(Samples samples, Family family) => samples.All.Where(sample => sample.Family == family).Sum(sample => sample.Value);
}

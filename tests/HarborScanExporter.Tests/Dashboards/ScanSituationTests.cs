namespace HarborScanExporter.Tests.Dashboards;

public sealed class ScanSituationTests
{
    [Fact]
    public void Stuck_and_live_tasks_together_are_the_open_ones()
    {
        foreach (var situation in new[] { ScanSituation.Healthy, ScanSituation.Faulty })
        {
            foreach (var type in Exposition.Types)
            {
                Assert.Equal(
                    situation.Tasks.Where(one => one.Key.Type == type && Exposition.OpenStatuses.Contains(one.Key.Status))
                        .Sum(one => one.Value),
                    situation.Stuck.Where(one => one.Key.Type == type).Sum(one => one.Value)
                        + situation.Live.Where(one => one.Key.Type == type).Sum(one => one.Value));
            }
        }
    }
}

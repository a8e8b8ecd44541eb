using HarborScanExporter.Harbor;

namespace HarborScanExporter.Tests.Harbor;

/// <summary>Whose result a stored report holds.</summary>
public sealed class ScanReportTests
{
    private const double Created = 1_789_992_000;

    [Fact]
    public void What_is_not_stored_is_nobodys_result() => Assert.False(Report(Created + 60, stored: false).IsResultOf(Created, ReportSharing.None));

    [Fact]
    public void A_report_of_one_task_is_its_own_unless_it_says_a_time_more_than_five_minutes_before_the_task()
    {
        bool Own(double? generated, double? created = Created) => Report(generated).IsResultOf(created, ReportSharing.None);
        Assert.True(Own(Created + 60));
        Assert.True(Own(Created));
        Assert.True(Own(Created - 300));
        Assert.False(Own(Created - 301));
        Assert.True(Own(null));
        Assert.True(Own(Created - 301, created: null));
    }

    [Fact]
    public void A_report_that_another_task_names_too_must_say_a_time_between_this_task_and_the_next()
    {
        bool Own(double? generated, double? next = null, double? created = Created) => Report(generated).IsResultOf(created, new ReportSharing(true, next, null));
        Assert.True(Own(Created));
        Assert.False(Own(Created - 1));
        Assert.False(Own(null));
        Assert.False(Own(Created, created: null));
        Assert.True(Own(Created + 60, next: Created + 61));
        Assert.False(Own(Created + 60, next: Created + 60));
    }

    [Fact]
    public void The_other_tasks_are_asked_about_only_where_the_time_leaves_it_open()
    {
        Assert.False(Report(Created).MayBeOfAnother(Created));
        Assert.True(Report(Created - 1).MayBeOfAnother(Created));
        Assert.True(Report(null).MayBeOfAnother(Created));
        Assert.True(Report(Created).MayBeOfAnother(null));
        Assert.False(Report(null, stored: false).MayBeOfAnother(Created));
    }

    private static ScanReport Report(double? generated, bool stored = true) => new("u", "sha256:a", stored) { Generated = generated };
}

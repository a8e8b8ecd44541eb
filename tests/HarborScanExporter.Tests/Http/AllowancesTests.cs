using System.Net;
using HarborScanExporter.Metrics;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Remediation;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Http;

/// <summary>How many requests may come within a minute: those that only look take nothing from those that write.</summary>
public sealed class AllowancesTests
{
    private const string Repairs = "/api/v1/repairs";

    [Fact]
    public async Task Sixty_looks_leave_every_repair_and_every_undo_free()
    {
        var time = new FakeTimeProvider();
        await using var repairs = await OperatedRepairs.StartAsync(time);
        for (var i = 0; i < 60; i++) Assert.Equal(HttpStatusCode.OK, (await repairs.GetAsync(Repairs)).Status);
        // A plan, the history, and a run that is rolled back: none of them writes.
        Assert.Equal(HttpStatusCode.TooManyRequests, (await repairs.GetAsync(Repairs)).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await repairs.GetAsync("/api/v1/plan")).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await repairs.PostAsync(Repairs, """{"mode":"dry-run"}""")).Status);
        Assert.Equal(HttpStatusCode.OK, (await repairs.PostAsync(Repairs, """{"mode":"execute"}""")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await repairs.PostAsync($"{Repairs}/1/undo", "{}")).Status);
        Assert.Equal("rate 1", repairs.Counted(RemediationCounters.Rejected));
    }

    [Fact]
    public async Task Sixty_writes_leave_every_look_free_and_the_next_write_waits()
    {
        var time = new FakeTimeProvider();
        await using var operated = await OperatedHarbor.StartAsync(time: time, changes: (Setting.Names.Remediation, "off"));
        for (var i = 0; i < 60; i++)
        {
            using var undo = await operated.SendAsync("POST", $"{Repairs}/1/undo", OperatedHarbor.Bearer());
            Assert.Equal(HttpStatusCode.Forbidden, undo.StatusCode);
        }
        using (var refused = await operated.SendAsync("POST", $"{Repairs}/1/undo", OperatedHarbor.Bearer()))
            Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(1)), (refused.StatusCode, refused.Headers.RetryAfter!.Delta));
        using (var look = await operated.SendAsync("GET", Repairs, OperatedHarbor.Bearer())) Assert.Equal(HttpStatusCode.OK, look.StatusCode);
        time.Advance(TimeSpan.FromSeconds(1));
        using var next = await operated.SendAsync("POST", $"{Repairs}/1/undo", OperatedHarbor.Bearer());
        Assert.Equal(HttpStatusCode.Forbidden, next.StatusCode);
    }
}

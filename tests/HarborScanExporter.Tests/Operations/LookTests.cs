#pragma warning disable xUnit1051
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Operations;

public sealed class LookTests(BrowserFixture browsers) : IClassFixture<BrowserFixture>
{
    [Fact]
    public async Task Look()
    {
        await using var night = await TroubledNight.StartArmedAsync();
        await night.Harbor.Database.ExecuteAsync("""
            insert into harbor_scan.repair (at, run, source, actor, note, action, state, failure, verdict, evidence, vendor_type, task_id, execution_id, status, before, after, verification, ended_at)
            select now() - make_interval(hours => i), 'ab12cd34ef56', case i % 3 when 0 then 'alert' else 'api' end, case i % 3 when 0 then 'HarborScanStuckTasks' else 'status page' end, case i % 2 when 0 then 'ticket 1234: Redis failed over at night' end, case i % 4 when 3 then 'fix_status_code' else 'finish_task' end,
            case i when 2 then 'failed' when 5 then 'undone' else 'done' end, case i when 2 then 'lost_race' end, 'lost', '[]', 'IMAGE_SCAN', 100 + i, 200 + i, 'Error', '{"task": {"status": "Pending", "status_code": 0}, "execution": null}', '{"task": {"status": "Error", "status_code": 3}, "execution": null}', case i when 1 then null when 4 then 'reverted' else 'held' end, now()
            from generate_series(1, 8) i
            """);
        foreach (var (scheme, width) in new[] { ("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360) })
        {
            var page = await browsers.Browser.OpenAsync(scheme: scheme, width: width, height: 1000);
            await page.GoAsync(new UriBuilder(new Uri(night.Operated.Address, "/status?refresh=0")) { UserName = "anyone", Password = OperatedHarbor.Token }.Uri);
            await page.RunAsync("document.getElementById('repairs').scrollIntoView(); document.getElementById('left-alone').open = true; document.querySelector('#planned details').open = true");
            await File.WriteAllBytesAsync($"/tmp/page-{scheme}-{width}.png", await page.ScreenshotAsync());
            await page.RunAsync("document.getElementById('repair-execute').click()");
            await File.WriteAllBytesAsync($"/tmp/page-{scheme}-{width}-dialog.png", await page.ScreenshotAsync());
            await page.RunAsync("document.getElementById('confirm').close(); document.querySelectorAll('details').forEach(one => one.open = true)");
            var faults = await page.ValuesAsync(Accessibility.Checks);
            await page.RunAsync("document.getElementById('repair-execute').click(); document.getElementById('confirm').close(); document.getElementById('confirm').show()");
            await File.AppendAllTextAsync("/tmp/page-faults.txt", string.Join('\n', [scheme + width, .. faults, "dialog", .. await page.ValuesAsync(Accessibility.Checks), .. page.Problems]) + "\n");
        }
    }
}

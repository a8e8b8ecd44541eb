using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using static HarborScanExporter.Tests.Support.Seed;

namespace HarborScanExporter.Tests.Http.StatusPage;

/// <summary>Repairs on the status page, as a person meets them in a real Chromium.</summary>
public sealed class RepairPageTests(BrowserFixture browsers) : IClassFixture<BrowserFixture>
{
    private const string Result = "document.getElementById('repair-result').innerText";

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task A_person_confirms_a_repair_sees_what_came_of_it_and_takes_one_back()
    {
        await using var night = await TroubledNight.StartArmedAsync();
        var before = await RowAsync(night, 1);
        var page = await OpenAsync(night);
        Assert.Equal("Armed Repairs are written when an alert or a person asks for them.", await page.ValueAsync<string>("document.querySelector('#repairs .mode').innerText.replace(/\\s+/g, ' ')"));
        Assert.Equal(["plan-finish_task-task-1", "plan-finish_task-task-2", "plan-finish_task-task-3", "plan-refresh_execution-execution-6"], await page.ValuesAsync("[...document.querySelectorAll('#planned > li')].map(one => one.id)"));
        Assert.StartsWith("finish_task task 3: Running → Success", await page.ValueAsync<string>("document.querySelector('#plan-finish_task-task-3 summary').innerText"), StringComparison.Ordinal);
        Assert.Equal("4", await page.ValueAsync<string>("document.getElementById('due').textContent"));
        Assert.Equal("Left alone: 1 thing and 77 live scans", await page.ValueAsync<string>("document.querySelector('#left-alone summary').textContent"));
        Assert.Contains("needs_api 1 hung (task 4): A worker holds it: only a stop by Harbor's API ends it.", await page.ValueAsync<string>("document.getElementById('left-alone').textContent.replace(/\\s+/g, ' ')"), StringComparison.Ordinal);

        // The dialog names count and actions; who leaves it has done nothing.
        await page.RunAsync("document.getElementById('repair-execute').focus()");
        await page.PressAsync("Enter", 13);
        await page.RunAsync("if (!document.getElementById('confirm').open) document.getElementById('repair-execute').click()");
        Assert.Equal("Write 4 repairs?", await page.ValueAsync<string>("document.getElementById('confirm-title').textContent"));
        Assert.Equal(["3 finish_task: the row gets its true final status.", "1 refresh_execution: the execution is recomputed from its tasks."], await page.ValuesAsync("[...document.querySelectorAll('#confirm-list li')].map(one => one.textContent)"));
        Assert.Equal("confirm-token", await page.ValueAsync<string>("document.activeElement.id"));
        await page.PressAsync("Escape", 27);
        await page.UntilAsync("!document.getElementById('confirm').open");
        Assert.Equal("repair-execute", await page.ValueAsync<string>("document.activeElement.id"));
        Assert.Equal(0, await night.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair"));

        // The browser's own sign-in reads only, so that the token is asked for; a wrong one is told before anything is done.
        await page.RunAsync("document.getElementById('repair-execute').click(); document.getElementById('confirm-note').value = 'ticket 7'; document.getElementById('confirm-token').focus()");
        await page.TypeAsync("not-the-token");
        await page.RunAsync("document.getElementById('confirm-form').requestSubmit()");
        await page.UntilAsync("document.getElementById('confirm-problem').textContent === 'This token is not accepted.'");
        Assert.True(await page.ValueAsync<bool>("document.getElementById('confirm').open && sessionStorage.length === 0"));
        await page.RunAsync("document.getElementById('confirm-token').value = ''; document.getElementById('confirm-token').focus()");
        await page.TypeAsync(OperatedHarbor.Token);
        await page.RunAsync("document.getElementById('confirm-form').requestSubmit()");
        await page.UntilAsync("document.getElementById('repair-result').innerText.startsWith('Run ')");
        Assert.Matches("^Run [0-9a-f]{12}: 4 done\\. Something is left alone; the reasons are above\\.", await page.ValueAsync<string>(Result));
        Assert.Contains("finish_task of task-3: done. The row becomes Success", await page.ValueAsync<string>(Result), StringComparison.Ordinal);
        Assert.Equal(["Error 3", "Error 3", "Success 3"], [await StatusAsync(night, 1), await StatusAsync(night, 2), await StatusAsync(night, 3)]);
        Assert.Equal("api status page ticket 7", await night.Harbor.Database.ScalarAsync<string>("select distinct concat_ws(' ', source, actor, note) from harbor_scan.repair"));
        await page.UntilAsync("document.getElementById('planned-none') && document.querySelectorAll('#repaired tbody tr').length === 4");

        // The token is known now, and one line is taken back.
        var line = await night.Harbor.Database.ScalarAsync<long>("select id from harbor_scan.repair where task_id = 1");
        await page.RunAsync($"document.getElementById('undo-{line}').click()");
        Assert.Equal($"Take repair {line} back?", await page.ValueAsync<string>("document.getElementById('confirm-title').textContent"));
        Assert.Equal(["finish_task of task 1: Pending to Error"], await page.ValuesAsync("[...document.querySelectorAll('#confirm-list li')].map(one => one.textContent)"));
        Assert.True(await page.ValueAsync<bool>("document.getElementById('confirm-token-line').hidden && document.activeElement.id === 'confirm-no'"));
        await page.RunAsync("document.getElementById('confirm-yes').click()");
        await page.UntilAsync($"document.getElementById('repair-result').innerText === 'Repair {line} is taken back.'");
        Assert.Equal(before, await RowAsync(night, 1));
        await page.UntilAsync($"document.querySelector('#repair-{line} .tag').textContent === 'taken back' && !document.getElementById('undo-{line}')");
        Assert.All(page.Problems, problem => Assert.Contains("401 (Unauthorized)", problem, StringComparison.Ordinal));
    }

    [Fact]
    public async Task In_a_dry_run_only_trying_is_offered_and_it_writes_nothing()
    {
        await using var night = await TroubledNight.StartArmedAsync("dry-run");
        var page = await SignInAsync(night);
        Assert.StartsWith("Dry run", await page.ValueAsync<string>("document.querySelector('#repairs .mode').innerText"), StringComparison.Ordinal);
        Assert.True(await page.ValueAsync<bool>("document.getElementById('repair-execute') === null"));
        await page.RunAsync("document.getElementById('repair-dry-run').click()");
        Assert.Equal("Try 4 repairs without writing?", await page.ValueAsync<string>("document.getElementById('confirm-title').textContent"));
        await page.RunAsync("document.getElementById('confirm-yes').click()");
        await page.UntilAsync("document.getElementById('repair-result').innerText.startsWith('Tried and rolled back: 4 would be done.')");
        Assert.Equal("Pending 0", await StatusAsync(night, 1));
        Assert.Equal(0, await night.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair"));
        Assert.True(await page.ValueAsync<bool>("document.getElementById('repaired') === null"));
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task A_pause_is_shown_with_its_reason_and_takes_the_buttons_away()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("harbor-pause-").FullName, "pause");
        await using var night = await TroubledNight.StartArmedAsync("execute", (Setting.Names.RemediationPauseFile, file));
        var page = await SignInAsync(night);
        Assert.False(await page.ValueAsync<bool>("document.getElementById('repair-execute').disabled"));
        await File.WriteAllTextAsync(file, "<b>until ten</b>", TestContext.Current.CancellationToken);
        await page.RunAsync("document.getElementById('now').click()");
        await page.UntilAsync("document.querySelector('#repairs .mode.warning')");
        Assert.Equal($"Paused Repairs are paused by the file {file}: <b>until ten</b>. Remove it to go on.", await page.ValueAsync<string>("document.querySelector('#repairs .mode.warning').innerText.replace(/\\s+/g, ' ')"));
        Assert.True(await page.ValueAsync<bool>("document.getElementById('repair-execute').disabled && document.getElementById('repair-dry-run').disabled"));
        Assert.Equal("What would be done, were it not held", await page.ValueAsync<string>("document.getElementById('planned-title').textContent"));
        // A run that was asked for just before is held too, and says so.
        await page.RunAsync("document.getElementById('repair-execute').disabled = false; document.getElementById('repair-execute').click(); document.getElementById('confirm-yes').click()");
        await page.UntilAsync("document.getElementById('repair-result').innerText.includes('nothing was done. Repairs are paused by the file')");
        Assert.True(await page.ValueAsync<bool>("document.getElementById('repair-result').classList.contains('bad')"));
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task What_may_be_an_outage_is_repaired_only_when_the_person_says_that_it_is_none()
    {
        await using var night = await TroubledNight.StartArmedAsync("execute", (Setting.Names.RemediationMaxShare, "0.01"));
        var seed = new Seed(night.Harbor);
        for (var i = 0; i < 25; i++) await seed.TaskAsync(await seed.ExecutionAsync(started: 5 * Hour), created: 5 * Hour, jobId: $"{i:x24}");
        // A scan that began after what is stuck was first seen would prove that it is none.
        await night.Harbor.Database.ExecuteAsync($"update task set status_revision = {RevisionAgo(Hour)}, update_time = {Ago(Hour)} where status = 'Running' and vendor_type = 'SCAN_ALL'");
        for (var i = 0; i < 3; i++)
        {
            await night.Operated.GetAsync("/api/v1/findings");
            night.Time.Advance(TimeSpan.FromSeconds(61));
        }
        var page = await SignInAsync(night);
        Assert.Contains("it may be an outage", await page.ValueAsync<string>("document.querySelector('#repairs .mode.warning').innerText"), StringComparison.Ordinal);
        await page.RunAsync("document.getElementById('repair-execute').click(); document.getElementById('confirm-yes').click()");
        Assert.True(await page.ValueAsync<bool>("document.getElementById('confirm').open && !document.getElementById('confirm-form').checkValidity()"));
        Assert.Equal(0, await night.Harbor.Database.ScalarAsync<long>("select count(*) from harbor_scan.repair"));
        await page.RunAsync("document.getElementById('confirm-share').click(); document.getElementById('confirm-yes').click()");
        await page.UntilAsync("document.getElementById('repair-result').innerText.startsWith('Run ')");
        Assert.Contains("29 done.", await page.ValueAsync<string>(Result), StringComparison.Ordinal);
        Assert.Equal("The share rule is overridden.", await night.Harbor.Database.ScalarAsync<string>("select distinct note from harbor_scan.repair"));
        await page.UntilAsync("document.querySelectorAll('#repaired tbody tr').length === 20");
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task A_refresh_leaves_the_dialog_and_what_is_typed_there()
    {
        await using var night = await TroubledNight.StartArmedAsync();
        var page = await SignInAsync(night, "?refresh=1");
        await page.RunAsync("document.getElementById('repair-execute').click(); document.getElementById('confirm-note').value = 'half a sen'; document.getElementById('looked').dataset.mark = 'old'");
        await page.UntilAsync("document.getElementById('looked').dataset.mark === undefined");
        Assert.True(await page.ValueAsync<bool>("document.getElementById('confirm').open"));
        Assert.Equal(("half a sen", "Write 4 repairs?"), (await page.ValueAsync<string>("document.getElementById('confirm-note').value"), await page.ValueAsync<string>("document.getElementById('confirm-title').textContent")));
        Assert.Empty(page.Problems);
    }

    [Theory]
    [InlineData("light", 1280)]
    [InlineData("dark", 1280)]
    [InlineData("light", 320)]
    [InlineData("dark", 360)]
    public async Task The_section_and_its_dialog_fit_read_and_can_be_used_by_everyone(string scheme, int width)
    {
        await using var night = await TroubledNight.StartArmedAsync();
        await AuditAsync(night, "ticket 1234: Redis failed over at night, and nobody noticed until the scan-all of the morning was refused");
        var page = await browsers.Browser.OpenAsync(scheme: scheme, width: width);
        await page.GoAsync(SignedIn(night, "?refresh=0"));
        await page.RunAsync("document.querySelectorAll('details').forEach(one => one.open = true)");
        Assert.Empty(await page.ValuesAsync(Accessibility.Checks));
        // Shown beside the page instead of over it, for what it covers cannot be focused.
        await page.RunAsync("document.getElementById('repair-execute').click(); document.getElementById('confirm').close(); document.getElementById('confirm').show()");
        Assert.Empty(await page.ValuesAsync(Accessibility.Checks));
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task Without_script_it_is_read_and_names_the_command()
    {
        await using var night = await TroubledNight.StartArmedAsync();
        await AuditAsync(night, "");
        var page = await browsers.Browser.OpenAsync(script: false);
        await page.GoAsync(SignedIn(night));
        Assert.True(await page.ValueAsync<bool>("[...document.querySelectorAll('[data-act]')].length === 3 && [...document.querySelectorAll('[data-act]')].every(one => one.hidden)"));
        Assert.Equal("Without JavaScript: harbor-scan-exporter repair", await page.ValueAsync<string>("document.getElementById('repair-by-hand').innerText"));
        Assert.False(await page.ValueAsync<bool>("document.getElementById('confirm').checkVisibility()"));
        Assert.Equal(4, await page.ValueAsync<int>("document.querySelectorAll('#planned > li').length"));
    }

    [Fact]
    public async Task Nothing_that_the_audit_holds_runs()
    {
        await using var night = await TroubledNight.StartArmedAsync();
        await AuditAsync(night, "<img src=x onerror=window.owned=1>\"' onfocus=window.owned=2");
        var page = await SignInAsync(night);
        Assert.Contains("<img src=x onerror=window.owned=1>\"' onfocus=window.owned=2", await page.ValueAsync<string>("document.getElementById('repaired').innerText"), StringComparison.Ordinal);
        await page.RunAsync("document.querySelector('[data-undo]').click()");
        Assert.True(await page.ValueAsync<bool>("window.owned === undefined && document.querySelector('main img, main script') === null"));
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task While_repairs_are_off_one_sentence_says_so()
    {
        await using var night = await TroubledNight.StartAsync();
        var page = await OpenAsync(night);
        Assert.Equal("Off This exporter only looks. HARBOR_SCAN_REMEDIATION lets it plan repairs (dry-run) and write them (execute).",
            await page.ValueAsync<string>("document.getElementById('repairs').innerText.split('\\n').slice(1).join(' ').replace(/\\s+/g, ' ').trim()"));
        Assert.True(await page.ValueAsync<bool>("document.querySelector('[data-act]') === null && document.getElementById('confirm') === null && document.getElementById('due') === null"));
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task Without_its_audit_the_page_shows_the_findings_and_names_the_SQL()
    {
        await using var night = await TroubledNight.StartArmedAsync();
        await night.Harbor.Database.ExecuteAsync("drop table harbor_scan.repair");
        var page = await OpenAsync(night);
        Assert.Equal(6, await page.ValueAsync<int>("document.querySelectorAll('#rows > tr').length"));
        Assert.Contains("Run the SQL of deploy/sql/03-remediation-role.sql", await page.ValueAsync<string>("document.querySelector('#repairs .mode.critical').innerText"), StringComparison.Ordinal);
        Assert.True(await page.ValueAsync<bool>("document.querySelector('[data-act]') === null"));
    }

    [Fact]
    public async Task A_page_costs_one_collection_and_pages_asked_for_at_once_share_one()
    {
        await using var night = await TroubledNight.StartArmedAsync();
        var first = await CollectionsAsync(night);
        await night.Operated.GetAsync("/status");
        var before = await CollectionsAsync(night);
        Assert.Equal(2, before - first);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => night.Operated.GetAsync("/status")));
        Assert.InRange(await CollectionsAsync(night) - before, 2, 3);

        // The scrape that asks is one itself.
        static async Task<double> CollectionsAsync(TroubledNight night) => (await night.Operated.Exporter.ScrapeAsync()).Value("harbor_scan_collections_total");
    }

    private async Task<BrowserPage> OpenAsync(TroubledNight night, string query = "?refresh=0")
    {
        var page = await browsers.Browser.OpenAsync();
        await page.GoAsync(SignedIn(night, query));
        return page;
    }

    /// <summary>The page as who gave the token in its form.</summary>
    private async Task<BrowserPage> SignInAsync(TroubledNight night, string query = "?refresh=0")
    {
        var page = await browsers.Browser.OpenAsync();
        await page.GoAsync(new Uri(night.Operated.Address, "/" + query));
        await page.TypeAsync(OperatedHarbor.Token);
        await page.RunAsync("document.getElementById('sign-in').requestSubmit()");
        await page.UntilAsync("document.getElementById('repairs')");
        return page;
    }

    private static Uri SignedIn(TroubledNight night, string query = "") =>
        new UriBuilder(new Uri(night.Operated.Address, "/status" + query)) { UserName = "anyone", Password = OperatedHarbor.Token }.Uri;

    private static Task AuditAsync(TroubledNight night, string note) => night.Harbor.Database.ExecuteAsync($$"""
        insert into harbor_scan.repair (run, source, actor, note, action, state, failure, verdict, evidence, vendor_type, task_id, execution_id, status, before, after, verification, ended_at)
        select 'ab12cd34ef56', case i when 3 then 'alert' else 'api' end, case i when 3 then 'HarborScanStuckTasks' else 'status page' end, '{{note.Replace("'", "''", StringComparison.Ordinal)}}', 'finish_task',
               case i when 1 then 'failed' when 2 then 'undone' else 'done' end, case i when 1 then 'lost_race' end, 'lost', '[]', 'IMAGE_SCAN', 9100 + i, 9200 + i, 'Error',
               '{"task": {"status": "Pending"}, "execution": null}', '{"task": {"status": "Error"}, "execution": null}', case i when 3 then 'reverted' end, now()
        from generate_series(1, 3) i
        """);

    private static Task<string> StatusAsync(TroubledNight night, long task) =>
        night.Harbor.Database.ScalarAsync<string>($"select status || ' ' || status_code from task where id = {task}");

    private static Task<string> RowAsync(TroubledNight night, long task) => night.Harbor.Database.ScalarAsync<string>($"select t::text from task t where id = {task}");
}

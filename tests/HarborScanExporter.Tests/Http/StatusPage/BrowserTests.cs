using HarborScanExporter.Http;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Http.StatusPage;

/// <summary>The status page as a real Chromium shows it.</summary>
public sealed class BrowserTests(TroubledNightFixture fixture, BrowserFixture browsers) : IClassFixture<TroubledNightFixture>, IClassFixture<BrowserFixture>
{
    private const string Rows = "[...document.querySelectorAll('#rows > tr')].map(row => row.id.slice(4))";
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private OperatedHarbor Operated => fixture.Night.Operated;

    [Theory]
    [InlineData("light", 1280)]
    [InlineData("dark", 1280)]
    [InlineData("light", 320)]
    [InlineData("dark", 320)]
    public async Task The_page_fits_reads_and_can_be_used_by_everyone(string scheme, int width)
    {
        foreach (var address in new[] { SignedIn(Operated), SignedIn(Operated, "?q=nothing-like-this"), SignedIn(Operated, "?sort=oldest&page_size=2&page=2"), SignedIn(Operated, "?page=none"), Operated.Address })
        {
            var page = await browsers.Browser.OpenAsync(scheme: scheme, width: width);
            await page.GoAsync(address);
            await page.RunAsync("document.querySelectorAll('details').forEach(one => one.open = true)");
            Assert.Equal(scheme == "dark", await page.ValueAsync<bool>("getComputedStyle(document.body).backgroundColor === 'rgb(17, 21, 27)'"));
            Assert.Empty(await page.ValuesAsync(Accessibility.Checks));
            Assert.DoesNotContain(page.Problems, problem => !problem.Contains("400 (Bad Request)", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task With_data_it_says_in_one_sentence_how_scanning_does_and_then_what_is_wrong()
    {
        var page = await browsers.Browser.OpenAsync();
        await page.GoAsync(SignedIn(Operated));
        Assert.Equal("Critical: Harbor scans", await page.ValueAsync<string>("document.title"));
        Assert.Equal("Critical Of 81 open scans 4 are stuck, 6 run, 71 wait.", await page.ValueAsync<string>("document.querySelector('[role=status]').textContent"));
        Assert.Equal(["task-1", "task-2", "task-3", "task-4", "execution-6", "system-robots"], await page.ValuesAsync(Rows));
        Assert.Equal("6 findings.", await page.ValueAsync<string>("document.getElementById('count').textContent"));
        Assert.Equal((1284, 1207), (await page.ValueAsync<int>("document.querySelector('progress').max"), await page.ValueAsync<int>("document.querySelector('progress').value")));
        Assert.Equal("descending", await page.ValueAsync<string>("document.getElementById('by-severity').parentElement.ariaSort"));
        var text = await page.ValueAsync<string>("document.querySelector('main').innerText");
        Assert.Contains("7 of 10 busy", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Its job is not in the queue.", text, StringComparison.Ordinal);
        await page.RunAsync("document.querySelector('#task-1 > summary').focus()");
        await page.PressAsync("Enter", 13);
        await page.RunAsync("document.querySelector('#task-1 > summary').click()");
        text = await page.ValueAsync<string>("document.querySelector('#task-1').innerText");
        foreach (var told in new[] { "Its job is not in the queue.", "Pulls are refused in payments, which prevents vulnerable images.", "Never: Harbor does not compare its rows", "Stop the job by Harbor's API", "do not empty Redis" })
            Assert.Contains(told, text, StringComparison.Ordinal);
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task The_form_takes_the_token_and_keeps_it_for_the_tab_alone()
    {
        var page = await browsers.Browser.OpenAsync();
        await page.GoAsync(Operated.Address);
        Assert.False(await page.ValueAsync<bool>("document.getElementById('sign-in').hidden"));
        await page.TypeAsync("not-the-token");
        await page.RunAsync("document.getElementById('sign-in').requestSubmit()");
        await page.UntilAsync("document.getElementById('token-problem').textContent === 'This token is not accepted.'");
        Assert.Equal(0, await page.ValueAsync<int>("sessionStorage.length"));
        await page.RunAsync("document.getElementById('token').value = ''; document.getElementById('token').focus()");
        await page.TypeAsync(OperatedHarbor.Token);
        await page.RunAsync("document.getElementById('sign-in').requestSubmit()");
        await page.UntilAsync("document.getElementById('state')");
        Assert.Equal("main", await page.ValueAsync<string>("document.activeElement.id"));
        Assert.Equal((1, 0, ""), (await page.ValueAsync<int>("sessionStorage.length"), await page.ValueAsync<int>("localStorage.length"), await page.ValueAsync<string>("document.cookie")));
        Assert.Equal(OperatedHarbor.Token, await page.ValueAsync<string>("sessionStorage.getItem('harbor-scan-exporter-token')"));
        Assert.DoesNotContain(OperatedHarbor.Token, await page.ValueAsync<string>("location.href + document.documentElement.outerHTML"), StringComparison.Ordinal);
        // The same tab is let in again; another is not.
        await page.GoAsync(Operated.Address);
        await page.UntilAsync("document.getElementById('state')");
        var other = await browsers.Browser.OpenAsync();
        await other.GoAsync(Operated.Address);
        Assert.True(await other.ValueAsync<bool>("document.getElementById('state') === null && document.getElementById('shell') !== null"));
        await page.LeaveByAsync("document.getElementById('forget').click()");
        Assert.True(await page.ValueAsync<bool>("sessionStorage.length === 0 && document.getElementById('shell') !== null"));
        Assert.All(page.Problems, problem => Assert.Contains("401 (Unauthorized)", problem, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_filter_and_an_order_work_in_place_and_stand_in_the_address()
    {
        var page = await browsers.Browser.OpenAsync();
        await page.GoAsync(SignedIn(Operated));
        await page.RunAsync("window.stays = true; document.getElementById('by-age').click()");
        await page.UntilAsync("location.search === '?sort=oldest'");
        await page.UntilAsync("document.getElementById('by-age').parentElement.ariaSort === 'descending'");
        Assert.Equal(["task-1", "execution-6", "task-2", "task-3", "task-4", "system-robots"], await page.ValuesAsync(Rows));
        await page.RunAsync("document.getElementById('by-age').click()");
        await page.UntilAsync("document.getElementById('by-age').parentElement.ariaSort === 'ascending'");
        Assert.Equal(["task-4", "task-3", "task-2", "execution-6", "task-1", "system-robots"], await page.ValuesAsync(Rows));
        await page.RunAsync("document.querySelector('[name=verdict]').value = 'lost'; document.querySelector('[name=q]').value = 'LEDGER'; document.getElementById('apply').focus(); document.getElementById('apply').click()");
        await page.UntilAsync("document.querySelectorAll('#rows > tr').length === 1");
        Assert.Equal(["task-2"], await page.ValuesAsync(Rows));
        Assert.Equal("?verdict=lost&q=LEDGER&sort=newest", await page.ValueAsync<string>("location.search"));
        Assert.Equal("1 finding that fit, of 6 in all.", await page.ValueAsync<string>("document.getElementById('count').textContent"));
        Assert.Equal("apply", await page.ValueAsync<string>("document.activeElement.id"));
        await page.RunAsync("history.back()");
        await page.UntilAsync("document.querySelectorAll('#rows > tr').length === 6");
        Assert.Equal(("", ""), (await page.ValueAsync<string>("document.querySelector('[name=verdict]').value"), await page.ValueAsync<string>("document.querySelector('[name=q]').value")));
        Assert.True(await page.ValueAsync<bool>("window.stays"));
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task Without_script_the_browsers_dialog_lets_in_and_filter_order_and_pages_work()
    {
        var page = await browsers.Browser.OpenAsync(script: false);
        await page.GoAsync(Operated.Address);
        Assert.True(await page.ValueAsync<bool>("document.getElementById('sign-in').hidden"));
        Assert.Equal("./status", await page.ValueAsync<string>("document.querySelector('#shell a').getAttribute('href')"));
        await page.GoAsync(SignedIn(Operated));
        Assert.Equal(["task-1", "task-2", "task-3", "task-4", "execution-6", "system-robots"], await page.ValuesAsync(Rows));
        Assert.Equal("30", await page.ValueAsync<string>("document.querySelector('noscript meta[http-equiv=refresh]').content"));
        Assert.True(await page.ValueAsync<bool>("document.getElementById('now').hidden && document.getElementById('forget').hidden"));
        await page.LeaveByAsync("document.querySelector('[name=project]').value = 'mirror'; document.getElementById('apply').click()");
        Assert.Equal(["task-3", "task-4"], await page.ValuesAsync(Rows));
        await page.LeaveByAsync("document.getElementById('all').click()");
        await page.LeaveByAsync("document.getElementById('by-age').click()");
        Assert.Equal(["task-1", "execution-6", "task-2", "task-3", "task-4", "system-robots"], await page.ValuesAsync(Rows));
        await page.LeaveByAsync("document.getElementById('pause').click()");
        Assert.Equal("?sort=oldest&refresh=0", await page.ValueAsync<string>("location.search"));
        Assert.True(await page.ValueAsync<bool>("document.querySelector('noscript') === null"));
        await page.GoAsync(SignedIn(Operated, "?page_size=4"));
        await page.LeaveByAsync("document.getElementById('next').click()");
        Assert.Equal(["execution-6", "system-robots"], await page.ValuesAsync(Rows));
        Assert.Equal("5 to 6 of 6 findings.", await page.ValueAsync<string>("document.getElementById('count').textContent"));
        Assert.Empty(page.Problems);
    }

    [Fact]
    public async Task It_refreshes_itself_and_leaves_the_reader_where_he_is()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        var seed = new Seed(operated.Harbor);
        for (var i = 0; i < 30; i++) await LostAsync(30 + i);
        var page = await browsers.Browser.OpenAsync(height: 500);
        await page.GoAsync(SignedIn(operated, "?refresh=1"));
        Assert.Equal(30, await page.ValueAsync<int>("document.querySelectorAll('#rows > tr').length"));
        await page.RunAsync("document.getElementById('task-15').open = true; document.querySelector('#task-15 > summary').focus(); document.querySelector('#row-task-15').scrollIntoView({ block: 'center' }); document.querySelector('[name=q]').value = 'being typed'");
        var at = await page.ValueAsync<double>("document.querySelector('#row-task-15').getBoundingClientRect().top");
        // Older than the others: it comes in at the top.
        await LostAsync(90);
        await page.UntilAsync("document.querySelectorAll('#rows > tr').length === 31");
        Assert.Equal("task-31", (await page.ValuesAsync(Rows))[0]);
        Assert.Equal("Critical Of 31 open scans 31 are stuck, 0 run, 0 wait.", (await page.ValueAsync<string>("document.getElementById('state').textContent")).Replace("runs", "run", StringComparison.Ordinal));
        Assert.True(await page.ValueAsync<bool>("document.getElementById('task-15').open"));
        Assert.Equal("task-15", await page.ValueAsync<string>("document.activeElement.parentElement.id"));
        Assert.Equal("being typed", await page.ValueAsync<string>("document.querySelector('[name=q]').value"));
        Assert.InRange(await page.ValueAsync<double>("document.querySelector('#row-task-15').getBoundingClientRect().top") - at, -2, 2);
        // Stopped, it stays as it is until it is asked.
        await page.RunAsync("document.getElementById('pause').click()");
        await page.UntilAsync("location.search === '?refresh=0' && document.getElementById('looked').dataset.refresh === '0'");
        await LostAsync(91);
        await Task.Delay(TimeSpan.FromSeconds(2.5), TestContext.Current.CancellationToken);
        Assert.Equal(31, await page.ValueAsync<int>("document.querySelectorAll('#rows > tr').length"));
        await page.RunAsync("document.getElementById('now').click()");
        await page.UntilAsync("document.querySelectorAll('#rows > tr').length === 32");
        Assert.Empty(page.Problems);

        async Task LostAsync(int hours) => await seed.TaskAsync(await seed.ExecutionAsync(started: hours * Hour), created: hours * Hour, jobId: $"job-{hours}");
    }

    [Fact]
    public async Task What_it_cannot_refresh_it_says()
    {
        var operated = await OperatedHarbor.StartAsync();
        await using var harbor = operated.Harbor;
        var page = await browsers.Browser.OpenAsync();
        await page.GoAsync(SignedIn(operated, "?refresh=1"));
        Assert.Equal("", await page.ValueAsync<string>("document.getElementById('stale').textContent"));
        // A browser opens its dialog when its own sign-in is refused: so many wrong ones came before that it is told to wait instead.
        for (var i = 0; i < FailedAttempts.Most; i++) (await operated.SendAsync("GET", "/status", OperatedHarbor.Bearer("wrong"))).Dispose();
        await File.WriteAllTextAsync(operated.TokenFile, "another-token-5c1e7a", TestContext.Current.CancellationToken);
        await page.UntilAsync("document.getElementById('stale').textContent === 'This token is wrong, and so were too many others from this address. Wait a minute. What you see is not refreshed since the time above.'");
        await operated.Exporter.DisposeAsync();
        await page.UntilAsync("document.getElementById('stale').textContent === 'The exporter does not answer. What you see is not refreshed since the time above.'");
        Assert.NotNull(await page.ValueAsync<string>("document.getElementById('state').textContent"));
    }

    [Fact]
    public async Task Nothing_that_rows_hold_runs()
    {
        await using var harbor = await TestHarbor.CreateAsync();
        var seed = new Seed(harbor);
        await seed.ExecuteAsync("""
            insert into artifact (id, project_id, repository_name, digest, type, repository_id, media_type, manifest_media_type, artifact_type)
            values (1, 1, 'library/<img src=x onerror=window.owned=1>', 'sha256:"><script>window.owned=2</script>', 'IMAGE', 1, 'm', 'm', 'a');
            insert into scan_report (uuid, digest, registration_uuid, mime_type, report) values ('u1', 'sha256:"><script>window.owned=2</script>', 's', 'm', null);
            """);
        await seed.TaskAsync(await seed.ExecutionAsync(started: 30 * Hour), created: 30 * Hour, jobId: "<svg onload=window.owned=3>", extraAttributes: """{"artifact_id":1,"report_uuids":["u1"]}""");
        await using var operated = await OperatedHarbor.StartAsync(harbor);
        var page = await browsers.Browser.OpenAsync();
        await page.GoAsync(operated.Address);
        await page.TypeAsync(OperatedHarbor.Token);
        await page.RunAsync("document.getElementById('sign-in').requestSubmit()");
        await page.UntilAsync("document.getElementById('rows')");
        await page.RunAsync("document.querySelectorAll('details').forEach(one => one.open = true)");
        Assert.Contains("library/<img src=x onerror=window.owned=1>", await page.ValueAsync<string>("document.getElementById('rows').innerText"), StringComparison.Ordinal);
        Assert.True(await page.ValueAsync<bool>("window.owned === undefined && document.querySelector('main img, main script, main svg') === null"));
        // The policy would stop it even if it got in.
        await page.RunAsync("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.owned=4\">')");
        await page.RunAsync("{ const script = document.createElement('script'); script.textContent = 'window.owned=5'; document.body.append(script); }");
        await page.UntilAsync("true");
        Assert.True(await page.ValueAsync<bool>("window.owned === undefined"));
        Assert.Contains(page.Problems, problem => problem.Contains("Content Security Policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_picture_in_the_documentation_is_of_this_page()
    {
        var page = await browsers.Browser.OpenAsync(width: 1120, height: 900);
        await page.GoAsync(SignedIn(Operated));
        var picture = await page.ScreenshotAsync();
        var file = Repository.PathOf("docs", "status-page.png");
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") await File.WriteAllBytesAsync(file, picture, TestContext.Current.CancellationToken);
        var kept = await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken);
        Assert.InRange(kept.Length, 10_000, 200 * 1024);
        // Width and height stand at the same place in every PNG; fonts differ between machines, so that nothing more can be compared.
        Assert.Equal(picture[16..24], kept[16..24]);
    }

    private static Uri SignedIn(OperatedHarbor operated, string query = "") =>
        new UriBuilder(new Uri(operated.Address, "/status" + query)) { UserName = "anyone", Password = OperatedHarbor.Token }.Uri;
}

/// <summary>One browser for several tests; each has pages of its own.</summary>
public sealed class BrowserFixture : IAsyncLifetime
{
    internal Chromium Browser { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Browser = await Chromium.StartAsync();

    public ValueTask DisposeAsync() => Browser.DisposeAsync();
}

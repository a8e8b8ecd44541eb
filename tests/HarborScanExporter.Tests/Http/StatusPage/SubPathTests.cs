using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using HarborScanExporter.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace HarborScanExporter.Tests.Http.StatusPage;

/// <summary>Pages behind a proxy that serves them below a path of its own: every address in them is relative.</summary>
public sealed partial class SubPathTests(BrowserFixture browsers) : IClassFixture<BrowserFixture>
{
    [Fact]
    public async Task In_a_browser_the_page_works_below_the_path_of_a_proxy()
    {
        await using var night = await TroubledNight.StartAsync();
        ConcurrentQueue<string> outside = [];
        await using var proxy = await ProxyAsync(night.Operated.Address, outside);
        var address = new Uri(new Uri(proxy.Urls.Single()), "/scans/");
        var page = await browsers.Browser.OpenAsync();
        await page.GoAsync(address);
        await page.TypeAsync(OperatedHarbor.Token);
        await page.RunAsync("document.getElementById('sign-in').requestSubmit()");
        await page.UntilAsync("document.getElementById('rows')");
        await page.RunAsync("document.getElementById('by-age').click()");
        await page.UntilAsync("location.search === '?sort=oldest'");
        await page.RunAsync("document.getElementById('now').click()");
        await page.UntilAsync("document.getElementById('rows') && document.getElementById('stale').textContent === ''");
        Assert.Equal("/scans/", await page.ValueAsync<string>("location.pathname"));
        await page.LeaveByAsync("document.getElementById('forget').click()");
        await page.UntilAsync("location.pathname === '/scans/' && location.search === '' && document.getElementById('sign-in') && !document.getElementById('sign-in').hidden");
        Assert.Equal(new Uri(address, "status").AbsoluteUri, await page.ValueAsync<string>("document.querySelector('#shell a').href"));
        // Below a route that asks for the token the page is shown too, and leads to the same place.
        await page.GoAsync(new Uri(address, "api/v1/nothing"));
        Assert.Equal(new Uri(address, "status").AbsoluteUri, await page.ValueAsync<string>("document.querySelector('#shell a').href"));
        Assert.Empty(outside);
    }

    [Fact]
    public async Task No_page_names_an_address_from_the_root()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        var landing = await operated.Exporter.Client.GetStringAsync(operated.Exporter.Address, TestContext.Current.CancellationToken);
        Assert.Equal(["metrics", "healthz", "readyz"], Addresses().Matches(landing).Select(match => match.Groups["address"].Value));
        List<string> pages = [landing];
        foreach (var (path, root) in new[]
        {
            ("/", "./"), ("/status", "./"), ("/?page=1", "./"), ("/status?page=0", "./"), ("/nothing", "./"), ("/api/v1/findings", "../../"), ("/a/b/c/d", "../../../"), ("/status/", "../"), ("//x", "../"),
        })
        {
            foreach (var token in new[] { null, OperatedHarbor.Bearer() })
            {
                using var answer = await operated.SendAsync("GET", operated.Address + path[1..], token, request => request.Headers.Accept.ParseAdd("text/html"));
                if (answer.Content.Headers.ContentType?.MediaType != "text/html") continue;
                var page = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                pages.Add(page);
                Assert.Contains($"data-root=\"{root}\"", page, StringComparison.Ordinal);
                if (page.Contains("id=\"sign-in\"", StringComparison.Ordinal)) Assert.Contains($"<a href=\"{root}status\">", page, StringComparison.Ordinal);
            }
        }
        Assert.All(pages, page => Assert.DoesNotMatch(FromTheRoot(), page));
    }

    [Fact]
    public async Task The_description_of_the_interface_names_its_server_relative_to_itself()
    {
        await using var operated = await OperatedHarbor.StartAsync();
        Assert.Contains("servers:\n  - url: ../..\n", await operated.GetAsync("/api/v1/openapi.yaml"), StringComparison.Ordinal);
        Assert.Equal(new Uri("http://harbor.example/scans/"), new Uri(new Uri("http://harbor.example/scans/api/v1/openapi.yaml"), "../.."));
    }

    /// <summary>A proxy that serves the operations listener below /scans, and keeps what is asked for outside of it.</summary>
    private static async Task<WebApplication> ProxyAsync(Uri target, ConcurrentQueue<string> outside)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var client = new HttpClient();
        app.Lifetime.ApplicationStopped.Register(client.Dispose);
        app.Run(async context =>
        {
            if (!context.Request.Path.StartsWithSegments("/scans", out var rest))
            {
                outside.Enqueue(context.Request.Path);
                context.Response.StatusCode = 404;
                return;
            }
            using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(target, rest + context.Request.QueryString.ToString()));
            foreach (var name in new[] { "Authorization", "Accept" })
                if (context.Request.Headers[name] is [{ } value]) request.Headers.TryAddWithoutValidation(name, value);
            using var answer = await client.SendAsync(request, context.RequestAborted);
            context.Response.StatusCode = (int)answer.StatusCode;
            context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
            // Without the challenge: the browser's own dialog would wait for a person.
            if (answer.Headers.TryGetValues("Content-Security-Policy", out var policy)) context.Response.Headers.ContentSecurityPolicy = string.Join("; ", policy);
            await context.Response.Body.WriteAsync(await answer.Content.ReadAsByteArrayAsync(context.RequestAborted), context.RequestAborted);
        });
        await app.StartAsync();
        return app;
    }

    [GeneratedRegex("<a href=\"(?<address>[^\"]*)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Addresses();

    [GeneratedRegex("(href|src|action|content|url)=\"/|(fetch|assign|replace|open)\\([^)]*['\"`]/|location\\.origin \\+ (?!location)", RegexOptions.ExplicitCapture)]
    private static partial Regex FromTheRoot();
}

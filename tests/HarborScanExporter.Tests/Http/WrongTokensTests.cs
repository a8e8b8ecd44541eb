using System.Net;
using System.Net.Http.Headers;
using HarborScanExporter.Http;
using HarborScanExporter.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace HarborScanExporter.Tests.Http;

/// <summary>Wrong tokens cost whoever sends them, and nobody else.</summary>
public sealed class WrongTokensTests
{
    private const string Path = "/api/v1/openapi.yaml";

    [Fact]
    public async Task After_any_number_of_wrong_tokens_from_its_address_the_right_one_is_let_in()
    {
        var time = new FakeTimeProvider();
        await using var operated = await OperatedHarbor.StartAsync(time: time);
        for (var i = 0; i < 3 * FailedAttempts.Most; i++)
        {
            Assert.Equal(i < FailedAttempts.Most ? HttpStatusCode.Unauthorized : HttpStatusCode.TooManyRequests, await StatusAsync(operated, OperatedHarbor.Bearer($"guess-{i}")));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(operated, OperatedHarbor.Bearer()));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(operated, OperatedHarbor.Basic()));
        }
        // What is refused is told how long, and a right token in between begins no new minute.
        time.Advance(TimeSpan.FromSeconds(20));
        using (var refused = await operated.SendAsync("GET", Path, OperatedHarbor.Basic("wrong")))
            Assert.Equal((HttpStatusCode.TooManyRequests, TimeSpan.FromSeconds(40)), (refused.StatusCode, refused.Headers.RetryAfter!.Delta));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(operated, null));
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(operated, OperatedHarbor.Bearer("wrong")));
        Assert.Equal("30 wrong tokens came from 127.0.0.1 within a minute; further wrong ones from there are refused for the rest of it.", Assert.Single(operated.Exporter.Warnings));
    }

    [Fact]
    public async Task The_webhook_takes_a_delivery_with_the_right_token_while_wrong_ones_flood_it()
    {
        await using var operated = await OperatedHarbor.StartAsync(time: new FakeTimeProvider());
        for (var i = 0; i < 2 * FailedAttempts.Most; i++)
        {
            using var wrong = await PostAsync(OperatedHarbor.Bearer("wrong"));
            using var right = await PostAsync(OperatedHarbor.Bearer());
            Assert.Equal(HttpStatusCode.Accepted, right.StatusCode);
        }

        Task<HttpResponseMessage> PostAsync(AuthenticationHeaderValue credentials) => operated.SendAsync("POST", "/api/v1/alerts", credentials,
            request => request.Content = Notification.Content(Notification.Of("HarborScanLost")));
    }

    private static async Task<HttpStatusCode> StatusAsync(OperatedHarbor operated, AuthenticationHeaderValue? credentials)
    {
        using var answer = await operated.SendAsync("GET", Path, credentials);
        return answer.StatusCode;
    }
}

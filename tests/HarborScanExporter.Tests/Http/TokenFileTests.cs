using System.Net;
using System.Net.Http.Headers;
using System.Text;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Http;

/// <summary>A token file that is spoilt while the exporter runs: requests go on with the token that it held, and the log says so once.</summary>
public sealed class TokenFileTests
{
    private const string Counts = " Until then what it held before counts.";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("gone", "there is no readable file {0}. Mount it, or correct the path.")]
    [InlineData("empty", "{0} is empty, or a pipe or a device. Write the secret into a regular file.")]
    [InlineData("pipe", "{0} is empty, or a pipe or a device. Write the secret into a regular file.")]
    [InlineData("directory", "{0} is a directory. Name the file in it.")]
    [InlineData("short", "the token in {0} has fewer than 16 characters. Write a longer one, for example with openssl rand -hex 32.")]
    [InlineData("long", "{0} has more than 4096 bytes. Write the secret alone into it.")]
    [InlineData("UTF-16", "{0} is written in UTF-16 or holds zero bytes. Save it as UTF-8.")]
    [InlineData("two lines", "{0} holds a line break or another control character within its text. Write the secret alone into it, on one line.")]
    public async Task The_token_that_it_held_counts_on(string what, string told)
    {
        await using var operated = await OperatedHarbor.StartAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(operated, OperatedHarbor.Bearer()));
        File.Delete(operated.TokenFile);
        switch (what)
        {
            case "gone": break;
            case "directory": Directory.CreateDirectory(operated.TokenFile); break;
            case "pipe": Assert.Equal(0, (await Tool.RunAsync("mkfifo", [operated.TokenFile])).ExitCode); break;
            case "UTF-16": await File.WriteAllTextAsync(operated.TokenFile, "another-token-5c1e7a", Encoding.Unicode, Token); break;
            default:
                await File.WriteAllTextAsync(operated.TokenFile, what switch
                {
                    "short" => "short", "long" => new string('x', 5000), "two lines" => "another-token-5c1e7a\nanother-token-5c1e7a", _ => "",
                }, Token);
                break;
        }
        foreach (var wrong in new[] { OperatedHarbor.Bearer("short"), OperatedHarbor.Basic(""), OperatedHarbor.Bearer("another-token-5c1e7a"), null })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(operated, wrong));
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(operated, OperatedHarbor.Bearer()));
        }
        Assert.Equal($"HARBOR_SCAN_OPERATIONS_TOKEN_FILE: {string.Format(System.Globalization.CultureInfo.InvariantCulture, told, operated.TokenFile)}{Counts}", Assert.Single(operated.Exporter.Warnings));
        if (what == "directory") Directory.Delete(operated.TokenFile);
        else File.Delete(operated.TokenFile);
        await File.WriteAllTextAsync(operated.TokenFile, "\uFEFFanother-token-5c1e7a\r\n", new UTF8Encoding(false), Token);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(operated, OperatedHarbor.Bearer("another-token-5c1e7a")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(operated, OperatedHarbor.Bearer()));
        Assert.Contains(operated.Exporter.Logs.GetSnapshot(), record => record.Message == "HARBOR_SCAN_OPERATIONS_TOKEN_FILE: the file can be used again.");
    }

    private static async Task<HttpStatusCode> StatusAsync(OperatedHarbor operated, AuthenticationHeaderValue? credentials)
    {
        using var answer = await operated.SendAsync("GET", "/api/v1/openapi.yaml", credentials);
        return answer.StatusCode;
    }
}

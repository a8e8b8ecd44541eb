using System.Net;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Tests.Settings;

/// <summary>The URLs that Harbor writes, and what is wrong with others.</summary>
public sealed class RedisSettingsTests
{
    private const string Secret = "hunter2";

    [Theory]
    [InlineData("redis://redis:6379/2", "redis", 6379, 2, null, null)]
    [InlineData("redis://redis:6379/2?idle_timeout_seconds=30", "redis", 6379, 2, null, null)]
    [InlineData("redis://redis", "redis", 6379, 0, null, null)]
    [InlineData("redis://redis/", "redis", 6379, 0, null, null)]
    [InlineData("redis://anonymous:hunter2@redis:6379/1", "redis", 6379, 1, null, "hunter2")]
    [InlineData("redis://:hunter2@redis:6379/1", "redis", 6379, 1, null, "hunter2")]
    [InlineData("redis://scan:hunter2@redis:6379/1", "redis", 6379, 1, "scan", "hunter2")]
    [InlineData("redis://scan@redis:6379/1", "redis", 6379, 1, "scan", null)]
    [InlineData("redis://:p%40ss%2Fw%3Ard%3F%25@redis:6379/1", "redis", 6379, 1, null, "p@ss/w:rd?%")]
    [InlineData("redis://:p@ss/w:rd?x@redis:6379/1?idle_timeout_seconds=30", "redis", 6379, 1, null, "p@ss/w:rd?x")]
    [InlineData("redis://[2001:db8::1]:6380/1", "2001:db8::1", 6380, 1, null, null)]
    [InlineData("redis://[::1]/1", "::1", 6379, 1, null, null)]
    public void Harbors_grammar_of_one_server_is_read(string url, string host, int port, int database, string? user, string? password)
    {
        var settings = RedisSettings.Parse(url, out var problem)!;
        Assert.Null(problem);
        Assert.Equal([new DnsEndPoint(host, port)], settings.Endpoints);
        Assert.Equal((database, user, password, false, (string?)null), (settings.Database, settings.User, settings.Password, settings.Tls, settings.Master));
    }

    [Fact]
    public void Sentinels_their_master_and_TLS_are_read()
    {
        var settings = RedisSettings.Parse($"rediss+sentinel://scan:{Secret}@a:26379,b,[::1]:26380/my%20master/1?idle_timeout_seconds=30", out _)!;
        Assert.Equal([new DnsEndPoint("a", 26379), new DnsEndPoint("b", 26379), new DnsEndPoint("::1", 26380)], settings.Endpoints);
        Assert.Equal(("my master", true, "scan", Secret, 1), (settings.Master, settings.Tls, settings.User, settings.Password, settings.Database));
        Assert.Equal("rediss+sentinel://a:26379,b:26379,[::1]:26380/my master/1", settings.Address);
        Assert.Equal(0, RedisSettings.Parse("redis+sentinel://a/mymaster", out _)!.Database);
        Assert.True(RedisSettings.Parse("rediss://a/1", out _)!.Tls);
    }

    [Theory]
    [InlineData("http://:hunter2@redis:6379/1", "it begins with none of redis://, rediss://, redis+sentinel://, rediss+sentinel://.")]
    [InlineData("redis:6379", "it begins with none of redis://")]
    [InlineData("hunter2", "it begins with none of redis://")]
    [InlineData("", "it begins with none of redis://")]
    [InlineData("redis://:hunter2@a:6379,b:6379/1", "it names several hosts, which only redis+sentinel:// and rediss+sentinel:// may.")]
    [InlineData("redis+sentinel://:hunter2@a:26379,b:26379", "the name of the Sentinel's master is missing. Write …/<master>/<database number>.")]
    [InlineData("redis+sentinel://:hunter2@a:26379//1", "the name of the Sentinel's master is missing.")]
    [InlineData("redis://:hunter2@/1", "its host is missing or its port is no number from 1 to 65535. Write <host>:<port>.")]
    [InlineData("redis://:hunter2@redis:/1", "its host is missing or its port is no number from 1 to 65535.")]
    [InlineData("redis://:hunter2@redis:0/1", "its host is missing or its port is no number from 1 to 65535.")]
    [InlineData("redis://:hunter2@redis:65536/1", "its host is missing or its port is no number from 1 to 65535.")]
    [InlineData("redis://:hunter2@redis:6379/one", "what stands for the database number is no number. It is 2 in Harbor's installer and 1 in its chart.")]
    [InlineData("redis://:hunter2@redis:6379/-1", "what stands for the database number is no number.")]
    [InlineData("redis://:hunter2@redis:6379/mymaster/1", "there are too many parts after the host. Write /<database number>.")]
    [InlineData("redis+sentinel://:hunter2@a/mymaster/1/2", "there are too many parts after the host. Write /<master>/<database number>.")]
    public void What_is_wrong_is_said_with_the_mend_and_without_the_password(string url, string problem)
    {
        Assert.Null(RedisSettings.Parse(url, out var said));
        Assert.StartsWith(problem, said, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis://:hunter2/1")]
    [InlineData("redis://:hunter2@redis:6379/hunter2")]
    [InlineData("redis://:hun/ter2#x@redis:6379/1")]
    public void A_password_in_the_wrong_place_is_not_repeated_either(string url)
    {
        RedisSettings.Parse(url, out var said);
        Assert.DoesNotContain(Secret, said ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void The_address_holds_no_credentials() =>
        Assert.Equal("redis://redis:6379/1", RedisSettings.Parse($"redis://scan:{Secret}@redis:6379/1", out _)!.Address);
}

using HarborScanExporter.Cli.Doctor;

namespace HarborScanExporter.Tests.Cli.Doctor;

/// <summary>Which server the job service's Redis is, by its own words.</summary>
public sealed class RedisProductTests
{
    [Theory]
    [InlineData("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n", "Redis 7.0.15")]
    [InlineData("# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\nvalkey_release_stage:ga\r\n", "Valkey 8.0.1")]
    [InlineData("# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\n", "Valkey")]
    [InlineData("# Server\r\ntcp_port:6379\r\n", null)]
    [InlineData("", null)]
    public void It_is_what_it_says_and_not_what_it_is_compatible_with(string info, string? expected) => Assert.Equal(expected, RedisProduct.Of(info));
}

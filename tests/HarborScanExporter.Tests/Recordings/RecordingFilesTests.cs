using System.Reflection;

namespace HarborScanExporter.Tests.Recordings;

public sealed class RecordingFilesTests
{
    [Fact]
    public void Each_recording_has_one_test_and_each_test_its_recording()
    {
        var tested = new[] { typeof(RecordingsOf280Tests), typeof(RecordingsOf2110Tests) }
            .SelectMany(tests => tests.GetMethods()).SelectMany(test => test.GetCustomAttributes<InlineDataAttribute>()).Select(data => (string)data.Data[0]!);
        Assert.Equal(Recording.Names.Order(StringComparer.Ordinal), tested.Order(StringComparer.Ordinal));
        Assert.NotEmpty(Recording.Names);
    }

    /// <summary>They are read by everybody: no address, no secret, no path of a machine.</summary>
    [Fact]
    public void No_recording_holds_an_address_or_a_secret()
    {
        foreach (var text in Recording.Names.Select(Recording.TextOf))
        {
            foreach (var word in new[] { "http", "127.0.0.1", "/home/", "/tmp/", "secret", "authorization", "parameters", "robotAccount", "\"args\"" })
                Assert.DoesNotContain(word, text, StringComparison.OrdinalIgnoreCase);
        }
    }
}

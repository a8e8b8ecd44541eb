using System.Text;
using HarborScanExporter.HarborApi;

namespace HarborScanExporter.Tests.HarborApi;

/// <summary>Harbor's words, as they are kept.</summary>
public sealed class ApiMessageTests
{
    [Theory]
    [InlineData("""{"errors":[{"code":"CONFLICT","message":"a previous scan process is Running"}]}""", "a previous scan process is Running")]
    [InlineData("""{"errors":[{"code":"A","message":"one"},{"code":"B"},{"code":"C","message":"two"}]}""", "one; two")]
    [InlineData("""{"errors":[{"message":"a\u001b[31mred\r\n\u202ethe\u2028end\u0000"}]}""", "a[31mredtheend")]
    [InlineData("""{"errors":[{"message":""}]}""", null)]
    [InlineData("""{"errors":[{"message":7},[],null,"x"]}""", null)]
    [InlineData("""{"errors":{"message":"x"}}""", null)]
    [InlineData("""{"errors":[]}""", null)]
    [InlineData("""[{"message":"x"}]""", null)]
    [InlineData("""{"errors":[{"message":"\ud800"}]}""", null)]
    [InlineData("<html>502</html>", null)]
    [InlineData("{\"errors\":[{\"message\":\"cut", null)]
    [InlineData("", null)]
    public void A_body_in_Harbors_form_gives_its_messages_in_one_line(string body, string? expected) => Assert.Equal(expected, ApiMessage.Of(Encoding.UTF8.GetBytes(body)));

    [Fact]
    public void A_long_message_is_cut_and_no_character_is_halved()
    {
        Assert.Equal(new string('a', 500), ApiMessage.Bounded(new string('a', 501)));
        Assert.Equal(new string('a', 500), ApiMessage.Bounded(new string('a', 500)));
        Assert.Equal(new string('a', 499), ApiMessage.Bounded(new string('a', 499) + "😀"));
        Assert.Equal(new string('a', 498) + "😀", ApiMessage.Bounded(new string('a', 498) + "😀b"));
    }

    [Fact]
    public void A_secret_is_hidden_before_the_message_is_cut()
    {
        Assert.Equal("for *** and ***", ApiMessage.Bounded("for s3cret and s3\u0007cret", "s3cret", ""));
        Assert.Equal(new string('a', 498) + "**", ApiMessage.Bounded(new string('a', 498) + "s3cret", "s3cret"));
    }
}

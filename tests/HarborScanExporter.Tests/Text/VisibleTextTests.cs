using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using HarborScanExporter.Cli;
using HarborScanExporter.Hosting;
using HarborScanExporter.Http;
using HarborScanExporter.Metrics;
using HarborScanExporter.Tests.Support;
using HarborScanExporter.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Time.Testing;
using Spectre.Console;
using Markup = HarborScanExporter.Http.StatusPage.Markup;

namespace HarborScanExporter.Tests.Text;

/// <summary>Any text by every way out: nothing of it acts on a terminal, a log or a page, and none of it is lost.</summary>
public sealed partial class VisibleTextTests
{
    /// <summary>Texts of the characters that do something, of those that look like an escape, and of any others, halves of pairs too.</summary>
    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Const("\u001b[31m"), Gen.Const("\u001b]8;;http://x\u0007"), Gen.Const("\r\n"), Gen.Const("\n"), Gen.Const("\u009b2J"), Gen.Const("\u202e"), Gen.Const("\u2066"), Gen.Const("\u061c"),
        Gen.Const("\u200f"), Gen.Const("\u2028"), Gen.Const("\ufeff"), Gen.Const("\U000e0041"), Gen.Const("\ud800"), Gen.Const("\udc00"), Gen.Const("\\u001B"), Gen.Const("☃"), Gen.Const("😀"), Gen.Const("\"'<&>{}"),
        Gen.Char.Select(character => character.ToString()), Gen.Char[' ', '~'].Select(character => character.ToString())).Array[0, 12].Select(string.Concat);

    [Theory]
    [InlineData("library/app:1.0 ☃ 😀 é ü ‑", "library/app:1.0 ☃ 😀 é ü ‑")]
    [InlineData("a\u001b[2Jb", @"a\u001B[2Jb")]
    [InlineData("a\r\nb\tc\0\u007f\u0085", @"a\u000D\u000Ab\u0009c\u0000\u007F\u0085")]
    [InlineData("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c", @"\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069\u200E\u200F\u061C")]
    [InlineData("\u2028\u2029\ufeff\u200b\u00ad", @"\u2028\u2029\uFEFF\u200B\u00AD")]
    [InlineData("\U000e0041", @"\U000E0041")]
    [InlineData("", "")]
    public void What_acts_is_shown_as_an_escape_and_nothing_else_is(string text, string shown) => Assert.Equal(shown, VisibleText.Of(text));

    [Fact]
    public void Half_a_pair_of_surrogates_is_shown_too()
    {
        Assert.Equal(@"a\uD800b", VisibleText.Of("a\ud800b"));
        Assert.Equal(@"\uDC00\uD800", VisibleText.Of("\udc00\ud800"));
    }

    [Fact]
    public void A_text_that_needs_nothing_is_itself()
    {
        const string text = "library/app";
        Assert.Same(text, VisibleText.Of(text));
        Assert.Equal("a\nb\\u001B", VisibleText.Lines("a\nb\u001b"));
    }

    [Fact]
    public void Of_any_text_nothing_acts_and_nothing_is_lost() => Texts.Sample(text =>
    {
        var shown = VisibleText.Of(text);
        AssertQuiet(shown, lines: false);
        Assert.Equal(shown, VisibleText.Of(shown));
        // A text that held an escape already is the one that cannot be told from what it stands for.
        if (!text.Contains('\\', StringComparison.Ordinal)) Assert.Equal(text, Escape().Replace(shown, Character));
    }, iter: 20_000);

    [Fact]
    public void No_text_acts_at_a_terminal() => Texts.Sample(text =>
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        using var error = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var terminal = new Terminal { Output = output, Error = error, Width = 10_000 };
        terminal.WritePage(page =>
        {
            page.Write(PageText.Line(text, new Style(Color.Red)));
            page.Write(PageText.Line("next"));
        });
        terminal.TellAsync(text).GetAwaiter().GetResult();
        using var log = new ShortLines(error);
        log.Log(LogLevel.Warning, default, text, new InvalidOperationException(text), (state, _) => state);
        Assert.Equal(2, output.ToString().TrimEnd('\n').Split('\n').Length);
        Assert.Equal(2, error.ToString().TrimEnd('\n').Split('\n').Length);
        AssertQuiet(output.ToString(), lines: true);
        AssertQuiet(error.ToString(), lines: true);
    }, iter: 2000);

    [Fact]
    public void No_text_begins_a_line_of_the_log() => Texts.Sample(text =>
    {
        using var log = new StringWriter(CultureInfo.InvariantCulture);
        new LineFormatter(new FakeTimeProvider()).Write(
            new LogEntry<string>(LogLevel.Warning, "Category", new EventId(7), text, new InvalidOperationException(text), (state, _) => state), null, log);
        Assert.StartsWith("2000-01-01T00:00:00Z warn: Category[7] ", log.ToString(), StringComparison.Ordinal);
        Assert.Equal(log.ToString().Length - 1, log.ToString().IndexOf('\n', StringComparison.Ordinal));
        AssertQuiet(log.ToString(), lines: true);
    }, iter: 2000);

    [Fact]
    public async Task No_text_acts_in_the_log_of_JSON()
    {
        await using var pieces = new ServiceCollection().AddLogging(logging => logging.AddJsonConsole()).BuildServiceProvider();
        var formatter = pieces.GetServices<ConsoleFormatter>().Single(one => one.Name == ConsoleFormatterNames.Json);
        Texts.Sample(text =>
        {
            using var log = new StringWriter(CultureInfo.InvariantCulture);
            formatter.Write(new LogEntry<string>(LogLevel.Warning, "Category", new EventId(7), text, null, (state, _) => state), null, log);
            AssertQuiet(log.ToString(), lines: true);
            using var record = JsonDocument.Parse(log.ToString());
            Assert.Equal("Warning", record.RootElement.GetProperty("LogLevel").GetString());
        }, iter: 2000);
    }

    [Fact]
    public void Texts_for_a_terminal_are_made_in_one_place()
    {
        string[] sources = Directory.GetFiles(Repository.PathOf("src", "HarborScanExporter"), "*.cs", SearchOption.AllDirectories);
        string[] made = [.. sources.Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && File.ReadAllText(file).Contains("new Text(", StringComparison.Ordinal)).Select(Path.GetFileName).OfType<string>()];
        Assert.Empty(made);
        Assert.DoesNotContain(sources, file => Path.GetFileName(file) != "Terminal.cs" && File.ReadAllText(file).Contains("terminal.Error.WriteLine", StringComparison.Ordinal));
    }

    [Fact]
    public void No_text_acts_in_a_page() => Texts.Sample(text =>
    {
        Markup page = $"<p title=\"{text}\">{text}</p>";
        AssertQuiet(page.ToString(), lines: false);
        AssertQuiet(System.Net.WebUtility.HtmlDecode(page.ToString()), lines: false);
        Assert.Equal($"<p title=\"{HtmlEncoder.Default.Encode(VisibleText.Of(text))}\">{HtmlEncoder.Default.Encode(VisibleText.Of(text))}</p>", page.ToString());
    }, iter: 2000);

    [Fact]
    public async Task No_label_acts_in_the_document_for_Prometheus_and_the_document_stays_one()
    {
        var family = new Family("harbor_scan_test", "A test.", "queue");
        await Texts.SampleAsync(async text =>
        {
            var samples = new Samples();
            samples.Add(family, 1, text);
            using var document = new MemoryStream();
            await new Exposition(true, samples).ToRegistry().CollectAndExportAsTextAsync(document, TestContext.Current.CancellationToken);
            var written = Encoding.UTF8.GetString(document.ToArray());
            AssertQuiet(written, lines: true);
            Assert.Single(written.Split('\n'), line => line.StartsWith("harbor_scan_test{queue=\"", StringComparison.Ordinal));
        }, iter: 500);
    }

    [Fact]
    public void JSON_keeps_every_text_and_shows_none() => Texts.Sample(text =>
    {
        if (text.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar)) return;
        var json = JsonSerializer.Serialize(new Problem { Title = "t", Status = 1, Detail = text }, ProblemJson.Default.Problem);
        AssertQuiet(json, lines: true);
        using var document = JsonDocument.Parse(json);
        Assert.Equal(text, document.RootElement.GetProperty("detail").GetString());
    }, iter: 2000);

    private static void AssertQuiet(string text, bool lines)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            var acts = category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator && !(lines && rune.Value == '\n');
            Assert.False(acts, $"{rune.Value:X} in {JsonEncodedText.Encode(text)}");
        }
    }

    private static string Character(Match escape) => escape.Value[1] == 'u'
        ? ((char)int.Parse(escape.Value.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToString()
        : char.ConvertFromUtf32(int.Parse(escape.Value.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\\u[0-9A-F]{4}|\\U[0-9A-F]{8}")]
    private static partial Regex Escape();
}

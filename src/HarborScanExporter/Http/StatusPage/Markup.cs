using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
using HarborScanExporter.Text;

namespace HarborScanExporter.Http.StatusPage;

/// <summary>
/// HTML written as an interpolated string: what stands in it literally is markup, and every text in a hole is made visible and encoded. Only another
/// <see cref="Markup"/> goes in as it is, so that no row of Harbor can become an element or turn the text around it.
/// </summary>
[InterpolatedStringHandler]
internal sealed class Markup(int literalLength, int holes)
{
    private readonly StringBuilder _text = new(literalLength + (holes * 16));

    public static Markup Nothing { get; } = new(0, 0);

    public void AppendLiteral(string markup) => _text.Append(markup);

    public void AppendFormatted(string? text) => _text.Append(HtmlEncoder.Default.Encode(VisibleText.Of(text ?? "")));

    public void AppendFormatted(long number) => _text.Append(number.ToString(CultureInfo.InvariantCulture));

    public void AppendFormatted(Markup part) => _text.Append(part._text);

    public void AppendFormatted(IEnumerable<Markup> parts)
    {
        foreach (var part in parts) _text.Append(part._text);
    }

    /// <summary>Text of this program that is markup already, such as its style.</summary>
    public static Markup Trusted(string markup)
    {
        var made = new Markup(markup.Length, 0);
        made.AppendLiteral(markup);
        return made;
    }

    /// <summary>The HTML.</summary>
    public override string ToString() => _text.ToString();
}

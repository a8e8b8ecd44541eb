using System.Globalization;
using System.Text;

namespace HarborScanExporter.Benchmarks;

/// <summary>A drawing of what a scrape costs over the size of Harbor's tables, both axes logarithmic, readable on light and on dark pages.</summary>
internal static class CostPlot
{
    private const int Width = 490;
    private const int Height = 400;
    private const int Left = 70;

    /// <summary>What the longest label of the left axis needs beyond it.</summary>
    private const int Room = 12;
    private const int Right = 35;
    private const int Top = 40;
    private const int Bottom = 95;

    private static readonly (string Class, string Name)[] Series = [("ours", "harbor-scan-exporter"), ("postgres", "postgres_exporter, four plain queries"), ("sql", "sql_exporter, the same queries")];

    /// <param name="sizes">By size, the smallest first.</param>
    public static string ToSvg(IReadOnlyList<SizeFigures> sizes)
    {
        var text = new StringBuilder($$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="{{-Room}} 0 {{2 * Width + Room}} {{Height}}" role="img" aria-label="Cost of a scrape over the size of Harbor's tables" font-family="system-ui, sans-serif" font-size="12">
            <style>
              .page { fill: #ffffff } .text { fill: #1f2328 } .grid { stroke: #d1d9e0; stroke-width: 1 } .axis { stroke: #59636e; stroke-width: 1; fill: none }
              .ours { stroke: #0969da; fill: #0969da } .postgres { stroke: #bc4c00; fill: #bc4c00 } .sql { stroke: #1a7f37; fill: #1a7f37 }
              polyline { fill: none !important; stroke-width: 2 } polyline.sql { stroke-dasharray: 6 4 }
              @media (prefers-color-scheme: dark) {
                .page { fill: #0d1117 } .text { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #8b949e }
                .ours { stroke: #58a6ff; fill: #58a6ff } .postgres { stroke: #f0883e; fill: #f0883e } .sql { stroke: #3fb950; fill: #3fb950 }
              }
            </style>
            <rect class="page" x="{{-Room}}" width="{{2 * Width + Room}}" height="{{Height}}"/>

            """);
        Panel(text, 0, "Database pages per scrape (8 KiB each)", sizes, [size => size.Work.Pages, size => size.PostgresExporter.Pages, size => size.SqlExporter.Pages]);
        Panel(text, Width, "Time of a scrape, median (ms)", sizes,
            [size => size.Scrape.Median.TotalMilliseconds, size => size.PostgresExporter.Round.Median.TotalMilliseconds, size => size.SqlExporter.Round.Median.TotalMilliseconds]);
        var x = Left;
        foreach (var (name, label) in Series)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"<g class=\"{name}\"><polyline class=\"{name}\" points=\"{x},{Height - 20} {x + 30},{Height - 20}\"/><circle cx=\"{x + 15}\" cy=\"{Height - 20}\" r=\"4\"/></g>")
                .AppendLine(CultureInfo.InvariantCulture, $"<text class=\"text\" x=\"{x + 38}\" y=\"{Height - 16}\">{label}</text>");
            x += 285;
        }
        return text.AppendLine("</svg>").ToString();
    }

    private static void Panel(StringBuilder text, int offset, string title, IReadOnlyList<SizeFigures> sizes, IReadOnlyList<Func<SizeFigures, double>> values)
    {
        var across = Decades(sizes.Select(size => (double)size.Tasks));
        var up = Decades(sizes.SelectMany(size => values.Select(value => value(size))));
        double X(double tasks) => offset + Left + (Math.Log10(tasks) - across.From) / (across.To - across.From) * (Width - Left - Right);
        double Y(double value) => Height - Bottom - (Math.Log10(value) - up.From) / (up.To - up.From) * (Height - Top - Bottom);
        var (leftEdge, rightEdge, bottomEdge) = (offset + Left, offset + Width - Right, Height - Bottom);

        Line(FormattableString.Invariant($"<text class=\"text\" x=\"{leftEdge}\" y=\"22\" font-size=\"14\" font-weight=\"600\">{title}</text>"));
        for (var decade = across.From; decade <= across.To; decade++)
        {
            var x = X(Math.Pow(10, decade));
            Line(FormattableString.Invariant($"<line class=\"grid\" x1=\"{x:F1}\" y1=\"{Top}\" x2=\"{x:F1}\" y2=\"{bottomEdge}\"/>"));
            Line(FormattableString.Invariant($"<text class=\"text\" x=\"{x:F1}\" y=\"{bottomEdge + 18}\" text-anchor=\"middle\">{Label(decade)}</text>"));
        }
        for (var decade = up.From; decade <= up.To; decade++)
        {
            var y = Y(Math.Pow(10, decade));
            Line(FormattableString.Invariant($"<line class=\"grid\" x1=\"{leftEdge}\" y1=\"{y:F1}\" x2=\"{rightEdge}\" y2=\"{y:F1}\"/>"));
            Line(FormattableString.Invariant($"<text class=\"text\" x=\"{leftEdge - 8}\" y=\"{y + 4:F1}\" text-anchor=\"end\">{Label(decade)}</text>"));
        }
        Line(FormattableString.Invariant($"<polyline class=\"axis\" points=\"{leftEdge},{Top} {leftEdge},{bottomEdge} {rightEdge},{bottomEdge}\"/>"));
        Line(FormattableString.Invariant($"<text class=\"text\" x=\"{(leftEdge + rightEdge) / 2}\" y=\"{bottomEdge + 38}\" text-anchor=\"middle\">tasks in the table, and as many executions</text>"));
        for (var series = 0; series < values.Count; series++)
        {
            var points = sizes.Select(size => (X: X(size.Tasks), Y: Y(values[series](size)))).ToArray();
            var name = Series[series].Class;
            Line(FormattableString.Invariant($"<polyline class=\"{name}\" points=\"{string.Join(' ', points.Select(point => FormattableString.Invariant($"{point.X:F1},{point.Y:F1}")))}\"/>"));
            foreach (var (x, y) in points) Line(FormattableString.Invariant($"<circle class=\"{name}\" cx=\"{x:F1}\" cy=\"{y:F1}\" r=\"3.5\"/>"));
        }

        void Line(string element) => text.AppendLine(element);
    }

    /// <summary>The powers of ten around all values, at least one decade apart.</summary>
    private static (int From, int To) Decades(IEnumerable<double> values)
    {
        var logarithms = values.Select(Math.Log10).ToArray();
        var from = (int)Math.Floor(logarithms.Min());
        return (from, Math.Max(from + 1, (int)Math.Ceiling(logarithms.Max())));
    }

    private static string Label(int decade) => decade < 0
        ? Math.Pow(10, decade).ToString(CultureInfo.InvariantCulture)
        : Math.Pow(10, decade).ToString("#,0", CultureInfo.InvariantCulture);
}

using System.Globalization;
using System.Text;

namespace HarborScanExporter.Benchmarks;

/// <summary>A text exposition as it was received.</summary>
internal sealed class MetricsText(string text)
{
    private readonly string[] _samples = [.. text.Split('\n').Where(line => line.Length > 0 && line[0] != '#')];

    public int Bytes { get; } = Encoding.UTF8.GetByteCount(text);

    public int Series => _samples.Length;

    /// <summary>Series of the contract, without process_* and dotnet_* of the library.</summary>
    public int OwnSeries => _samples.Count(line => line.StartsWith("harbor_scan_", StringComparison.Ordinal));

    /// <summary>The sum over a family's series; a failure when there is none.</summary>
    public double Sum(string family)
    {
        var values = _samples.Where(line => line.StartsWith(family + "{", StringComparison.Ordinal) || line.StartsWith(family + " ", StringComparison.Ordinal)).ToArray();
        return values.Length > 0
            ? values.Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture))
            : throw new InvalidOperationException($"The exporter answered without {family}:{Environment.NewLine}{text}");
    }
}

using System.Globalization;
using System.Text;

namespace HarborScanExporter.Benchmarks;

/// <summary>A text exposition as it was received.</summary>
internal sealed class MetricsText(string text)
{
    private readonly string[] _samples = [.. text.Split('\n').Where(line => line.Length > 0 && line[0] != '#')];

    public int Bytes { get; } = Encoding.UTF8.GetByteCount(text);

    public int Series => _samples.Length;

    /// <summary>Whether every family could be collected, those of the database's whole tables included.</summary>
    public bool IsComplete => IsUp && Has("harbor_scan_tasks");

    /// <summary>Whether the collection was a success by its own word.</summary>
    public bool IsUp => Has("harbor_scan_up") && Sum("harbor_scan_up") is 1;

    /// <summary>Whether there is a sample of the family.</summary>
    public bool Has(string family) => Of(family).Any();

    /// <summary>The sum over a family's series; a failure when there is none.</summary>
    public double Sum(string family) => Of(family).ToArray() is { Length: > 0 } values
        ? values.Sum(Value)
        : throw new InvalidOperationException($"There is no {family} in the answer:{Environment.NewLine}{text}");

    /// <summary>The value of a family's first series; null when there is none.</summary>
    public double? First(string family) => Of(family).Select(line => (double?)Value(line)).FirstOrDefault();

    private IEnumerable<string> Of(string family) =>
        _samples.Where(line => line.StartsWith(family, StringComparison.Ordinal) && line.Length > family.Length && line[family.Length] is '{' or ' ');

    private static double Value(string line) => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
}

namespace HarborScanExporter.Metrics;

/// <summary>What Prometheus may do with a family.</summary>
internal enum FamilyType
{
    Gauge,
    Counter,
    Histogram,
}

/// <summary>A metric family of the contract.</summary>
/// <param name="Name">Its full name; of a histogram without <c>_bucket</c>, <c>_count</c> and <c>_sum</c>.</param>
/// <param name="Help">One line; the library does not escape line breaks.</param>
/// <param name="Labels">The label names, in order.</param>
internal sealed record Family(string Name, string Help, params string[] Labels)
{
    /// <summary>The upper bounds of a histogram's buckets, rising, without that of infinity; empty for all others.</summary>
    public double[] Buckets { get; init; } = [];

    /// <summary>What counts up (what this process did or saw, or lines of the audit) is a counter, what has buckets a histogram.</summary>
    public FamilyType Type =>
        Buckets.Length > 0 ? FamilyType.Histogram : Name.EndsWith("_total", StringComparison.Ordinal) ? FamilyType.Counter : FamilyType.Gauge;
}

/// <summary>One value of a family, or what was observed of a histogram: then the value says how often.</summary>
internal readonly record struct Sample(Family Family, double Value, string[] Labels, IReadOnlyList<Observed>? Observed = null);

/// <summary>What one collector has to say; published only when the collector comes to its end.</summary>
internal sealed class Samples
{
    private readonly List<Sample> _samples = [];

    public IReadOnlyList<Sample> All => _samples;

    /// <summary>Adds a sample.</summary>
    /// <exception cref="ArgumentException">The labels are not those of the family, or it is a histogram.</exception>
    public void Add(Family family, double value, params string[] labels)
    {
        if (family.Type == FamilyType.Histogram) throw new ArgumentException($"{family.Name} is a histogram and has no single value.", nameof(family));
        Add(new Sample(family, value, labels));
    }

    /// <summary>Adds all that was observed so far, nothing too.</summary>
    /// <exception cref="ArgumentException">The labels are not those of the family, or it is no histogram.</exception>
    public void Add(Family family, Distribution distribution, params string[] labels)
    {
        if (family.Type != FamilyType.Histogram) throw new ArgumentException($"{family.Name} is no histogram.", nameof(family));
        var observed = distribution.Observations;
        Add(new Sample(family, observed.Sum(one => one.Count), labels, observed));
    }

    /// <summary>Adds a sample when there is something to tell.</summary>
    public void AddIfKnown(Family family, double? value, params string[] labels)
    {
        if (value is { } known) Add(family, known, labels);
    }

    /// <summary>Adds everything that others wrote.</summary>
    public void AddAll(Samples others) => _samples.AddRange(others._samples);

    private void Add(Sample sample)
    {
        if (sample.Labels.Length != sample.Family.Labels.Length)
            throw new ArgumentException($"{sample.Family.Name} has {sample.Family.Labels.Length} labels.", nameof(sample));
        _samples.Add(sample);
    }
}

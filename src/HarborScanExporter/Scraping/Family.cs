namespace HarborScanExporter.Scraping;

/// <summary>A metric family of the contract.</summary>
/// <param name="Name">Its full name.</param>
/// <param name="Help">One line; the library does not escape line breaks.</param>
/// <param name="Labels">The label names, in order.</param>
internal sealed record Family(string Name, string Help, params string[] Labels)
{
    /// <summary>Whether it counts up: what this process did, or lines of the audit; all others are gauges.</summary>
    public bool IsCounter => Name.EndsWith("_total", StringComparison.Ordinal);
}

/// <summary>One value of a family.</summary>
internal readonly record struct Sample(Family Family, double Value, string[] Labels);

/// <summary>What one collector has to say; published only when the collector comes to its end.</summary>
internal sealed class Samples
{
    private readonly List<Sample> _samples = [];

    public IReadOnlyList<Sample> All => _samples;

    /// <summary>Why the collector counts as failed although what it wrote stands; null when it does not.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Marks the collector as failed and keeps what it wrote.</summary>
    public void FailedBy(Exception failure) => Failure = failure;

    /// <summary>Adds a sample.</summary>
    /// <exception cref="ArgumentException">The labels are not those of the family.</exception>
    public void Add(Family family, double value, params string[] labels)
    {
        if (labels.Length != family.Labels.Length) throw new ArgumentException($"{family.Name} has {family.Labels.Length} labels.", nameof(labels));
        _samples.Add(new Sample(family, value, labels));
    }

    /// <summary>Adds a sample when there is something to tell.</summary>
    public void AddIfKnown(Family family, double? value, params string[] labels)
    {
        if (value is { } known) Add(family, known, labels);
    }
}

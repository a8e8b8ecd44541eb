namespace HarborScanExporter.Observation;

/// <summary>One part of an observation: what was read, or why it could not be.</summary>
/// <param name="took">How long its own read took.</param>
/// <param name="failure">Why it could not be read; null when it was.</param>
/// <param name="restsOn">The parts that it was made of.</param>
internal abstract class Part(TimeSpan took, Exception? failure, IReadOnlyList<Part> restsOn)
{
    public Exception? Failure { get; } = failure;

    /// <summary>How long these parts and all that they rest on took, each counted once.</summary>
    public static TimeSpan TimeOf(IEnumerable<Part> parts)
    {
        var all = new HashSet<Part>();
        var open = new Stack<Part>(parts);
        while (open.TryPop(out var part))
        {
            if (!all.Add(part)) continue;
            foreach (var below in part.RestsOn) open.Push(below);
        }
        return all.Aggregate(TimeSpan.Zero, (sum, part) => sum + part.Took);
    }

    private TimeSpan Took { get; } = took;

    private IReadOnlyList<Part> RestsOn { get; } = restsOn;
}

/// <summary>A part of one type.</summary>
internal sealed class Part<T> : Part
{
    private readonly T? _value;

    private Part(T? value, Exception? failure, TimeSpan took, IReadOnlyList<Part> restsOn) : base(took, failure, restsOn) => _value = value;

    /// <summary>What was read.</summary>
    /// <exception cref="InvalidOperationException">It could not be read.</exception>
    public T Value => Failure is null ? _value! : throw new InvalidOperationException("This part of the observation could not be read.", Failure);

    /// <summary>Something that was read already.</summary>
    public static Part<T> Of(T value, TimeSpan took = default, params IReadOnlyList<Part> restsOn) => new(value, null, took, restsOn);

    /// <summary>Something that could not be read.</summary>
    public static Part<T> FailedBy(Exception failure, TimeSpan took = default, params IReadOnlyList<Part> restsOn) => new(default, failure, took, restsOn);

    /// <summary>Reads it; without one of the parts that it rests on it fails as that part did. Whatever the read throws is its failure.</summary>
    /// <param name="time">Measures.</param>
    /// <param name="read">Reads.</param>
    /// <param name="restsOn">What the read needs.</param>
    public static async Task<Part<T>> ReadAsync(TimeProvider time, Func<Task<T>> read, params IReadOnlyList<Part> restsOn)
    {
        if (restsOn.FirstOrDefault(part => part.Failure is not null) is { Failure: { } missing }) return FailedBy(missing, TimeSpan.Zero, restsOn);
        var begun = time.GetTimestamp();
        try
        {
            var value = await read();
            return Of(value, time.GetElapsedTime(begun), restsOn);
        }
        catch (Exception error)
        {
            return FailedBy(error, time.GetElapsedTime(begun), restsOn);
        }
    }
}

using HarborScanExporter.Harbor;

namespace HarborScanExporter.Remediation.Planning;

/// <summary>
/// Which executions lie beyond the retention: of each artifact and kind the newest is kept, and so many of the newest scan-alls. Executions are met
/// by falling id; one is superseded only by those met before it that started later, so that whatever is unknown keeps it. Memory is bounded: of
/// artifacts beyond the bound every execution is kept.
/// </summary>
/// <param name="scanAlls">How many scan-alls Harbor keeps.</param>
/// <param name="mostArtifacts">Artifacts of one kind that are kept track of.</param>
internal sealed class Retention(int scanAlls, int mostArtifacts)
{
    private readonly Dictionary<uint, Newest> _imageScans = [];
    private readonly Dictionary<uint, Newest> _sboms = [];

    /// <summary>Executions that were kept because their artifacts are beyond the bound.</summary>
    public long Untracked { get; private set; }

    /// <summary>The scan-alls that started last, the latest first.</summary>
    private readonly List<Newest> _scanAlls = [];

    /// <summary>Takes an execution in.</summary>
    /// <param name="id">Its id, smaller than those before.</param>
    /// <param name="type">Its vendor type.</param>
    /// <param name="artifact">The artifact that its attributes name; null when they name none.</param>
    /// <param name="started">Its start in seconds since 1970; null when the row holds no usable time.</param>
    /// <returns>The execution that supersedes it; null when it is kept.</returns>
    public long? Meet(long id, string type, long? artifact, double? started)
    {
        if (started is not (>= 0 and < uint.MaxValue) || id is < 0 or > uint.MaxValue) return null;
        // Whole seconds: what started within the same second as the newest is kept too.
        var met = new Newest((uint)started.Value, (uint)id);
        if (type == ScanType.ScanAll) return OfScanAlls(met);
        return artifact is > 0 and <= uint.MaxValue ? Of(type == ScanType.Sbom ? _sboms : _imageScans, (uint)artifact.Value, met) : null;
    }

    private long? Of(Dictionary<uint, Newest> known, uint artifact, Newest met)
    {
        if (known.TryGetValue(artifact, out var newest))
        {
            if (met.Started < newest.Started) return newest.Id;
            if (met.Started > newest.Started) known[artifact] = met;
        }
        else if (known.Count < mostArtifacts)
        {
            known.Add(artifact, met);
        }
        else
        {
            Untracked++;
        }
        return null;
    }

    private long? OfScanAlls(Newest met)
    {
        if (_scanAlls.Count >= scanAlls && met.Started < _scanAlls[^1].Started) return _scanAlls[^1].Id;
        _scanAlls.Add(met);
        _scanAlls.Sort((one, other) => other.Started.CompareTo(one.Started));
        if (_scanAlls.Count > scanAlls) _scanAlls.RemoveAt(scanAlls);
        return null;
    }

    private readonly record struct Newest(uint Started, uint Id);
}

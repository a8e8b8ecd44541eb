using System.Text.Json;
using System.Text.Json.Serialization;
using HarborScanExporter.Tests.Support;

namespace HarborScanExporter.Tests.Recordings;

/// <summary>
/// One moment of a real Harbor: rows of its database and keys of its job service's Redis, trimmed to what the exporter must answer. Every
/// time is in seconds from the moment, negative before it; what Harbor keeps in whole seconds is a whole number. Rows were read some seconds
/// before keys. Long lists were sampled: rows and keys that the sample cut are completed where others of the moment prove them.
/// </summary>
internal sealed record Recording
{
    private static readonly string Folder = Repository.PathOf("tests", "HarborScanExporter.Tests", "Recordings", "data");

    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };

    /// <summary>What had happened.</summary>
    public required string Note { get; init; }

    /// <summary>Harbor's release.</summary>
    public required string Harbor { get; init; }

    /// <summary>The executions whose refresh was still to come: core held their key, or wrote them within the next minute.</summary>
    public required long[] Refreshed { get; init; }

    public required RecordedExecution[] Execution { get; init; }

    public required RecordedTask[] Task { get; init; }

    [JsonPropertyName("job_queue_status")]
    public required RecordedQueueStatus[] JobQueueStatus { get; init; }

    /// <summary>Null where Redis did not run.</summary>
    public required RecordedRedis? Redis { get; init; }

    /// <summary>The names of all recordings.</summary>
    public static IEnumerable<string> Names => Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file));

    public static Recording Read(string name) => JsonSerializer.Deserialize<Recording>(TextOf(name), Format)!;

    public static string TextOf(string name) => File.ReadAllText(Path.Combine(Folder, name + ".json"));
}

/// <summary>A row of <c>execution</c>.</summary>
internal sealed record RecordedExecution
{
    public required long Id { get; init; }

    public required string Type { get; init; }

    public required long Vendor { get; init; }

    public required string Status { get; init; }

    public string Message { get; init; } = "";

    public required string Trigger { get; init; }

    public double? Started { get; init; }

    public double? Ended { get; init; }

    /// <summary>The end is <c>0001-01-01</c>.</summary>
    public bool Zero { get; init; }

    public double? Updated { get; init; }

    public long Revision { get; init; }

    /// <summary>The artifact that a scan of a single one was asked for.</summary>
    public long? Artifact { get; init; }

    public string? Repository { get; init; }

    /// <summary>The attributes of any other execution.</summary>
    public JsonElement? Attributes { get; init; }
}

/// <summary>A row of <c>task</c>, and whether its report was stored.</summary>
internal sealed record RecordedTask
{
    public required long Id { get; init; }

    public required long Execution { get; init; }

    public required string Job { get; init; }

    public required string Status { get; init; }

    /// <summary>The status code where it is not that of the status.</summary>
    public int? Code { get; init; }

    /// <summary>The status revision as a time; null for 0.</summary>
    public long? Revision { get; init; }

    public int Runs { get; init; }

    public required double Created { get; init; }

    public double? Started { get; init; }

    /// <summary>As created when not given.</summary>
    public double? Updated { get; init; }

    public double? Ended { get; init; }

    /// <summary>The end is <c>0001-01-01</c>, as in the row of a scan that runs.</summary>
    public bool Zero { get; init; }

    public required long Artifact { get; init; }

    public string? Report { get; init; }

    /// <summary>When the stored report was made; null when the report is the empty one that is made with the task.</summary>
    public double? Generated { get; init; }
}

/// <summary>A row of <c>job_queue_status</c>.</summary>
internal sealed record RecordedQueueStatus(string Type, bool Paused, double Updated);

/// <summary>The keys of the job service. An entry of a list is a job's id and when it was enqueued; the lists are in Redis' order.</summary>
internal sealed record RecordedRedis
{
    [JsonPropertyName("known_jobs")]
    public string[] KnownJobs { get; init; } = [];

    public RecordedPool[] Pools { get; init; } = [];

    public JsonElement[][] Queue { get; init; } = [];

    [JsonPropertyName("in_progress")]
    public Dictionary<string, JsonElement[][]> InProgress { get; init; } = [];

    [JsonPropertyName("lock_info")]
    public Dictionary<string, int> LockInfo { get; init; } = [];

    public Dictionary<string, RecordedWorker> Workers { get; init; } = [];

    public Dictionary<string, RecordedJob> Records { get; init; } = [];

    public string[] Tracked { get; init; } = [];

    public string[] Paused { get; init; } = [];
}

/// <summary>A worker pool.</summary>
internal sealed record RecordedPool
{
    public required string Id { get; init; }

    public required long Heartbeat { get; init; }

    public required long Started { get; init; }

    public required int Concurrency { get; init; }

    public required string[] Workers { get; init; }

    /// <summary>The job types it announced at its start; those of known_jobs when not given.</summary>
    public string[]? Jobs { get; init; }

    /// <summary>It was killed before the moment: its heartbeat does not go on.</summary>
    public bool Dead { get; init; }
}

/// <summary>What a worker says of the job it runs.</summary>
internal sealed record RecordedWorker(string Type, string Job, long Started);

/// <summary>A job's record.</summary>
internal sealed record RecordedJob
{
    public required string Status { get; init; }

    public required long Revision { get; init; }

    public required long Updated { get; init; }

    /// <summary>The task that its hook names.</summary>
    public long? Task { get; init; }

    public string Type { get; init; } = "IMAGE_SCAN";

    /// <summary>The status and the revision that core has acknowledged.</summary>
    public JsonElement[]? Ack { get; init; }
}

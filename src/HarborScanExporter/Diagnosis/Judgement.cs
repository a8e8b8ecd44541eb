namespace HarborScanExporter.Diagnosis;

/// <summary>
/// What a task that is not over is: exactly one verdict when it is stuck, or exactly one state when it is not.
/// </summary>
internal readonly record struct Judgement
{
    private Judgement(string word, bool isStuck) => (Word, IsStuck) = (word, isStuck);

    /// <summary>The label value of <c>verdict</c> or <c>state</c>.</summary>
    public string Word { get; }

    /// <summary>Whether nothing in Harbor will end it within two hours.</summary>
    public bool IsStuck { get; }

    /// <summary>Nothing will ever report on it: the job service does not know the job.</summary>
    public static Judgement Lost { get; } = new("lost", true);

    /// <summary>The work is over and its reports are stored; only the status never arrived.</summary>
    public static Judgement Unreported { get; } = new("unreported", true);

    /// <summary>A worker holds it and does not get on.</summary>
    public static Judgement Hung { get; } = new("hung", true);

    /// <summary>The job service knows the job, but it stands in no queue.</summary>
    public static Judgement NotQueued { get; } = new("not_queued", true);

    /// <summary>It runs longer than a scan may, and rows alone cannot say why.</summary>
    public static Judgement Overdue { get; } = new("overdue", true);

    public static Judgement Queued { get; } = new("queued", false);

    public static Judgement Running { get; } = new("running", false);

    /// <summary>An operator paused the queue.</summary>
    public static Judgement Paused { get; } = new("paused", false);

    /// <summary>
    /// A pool that no longer beats holds the job, dead or only frozen, or a job whose row says Running waits in the queue again. A living job
    /// service queues anew what a dead pool holds within about eleven minutes (harbor-facts 6.1).
    /// </summary>
    public static Judgement Requeued { get; } = new("requeued", false);

    /// <summary>Too young, or just changing.</summary>
    public static Judgement Settling { get; } = new("settling", false);

    /// <summary>The evidence does not suffice for any other word.</summary>
    public static Judgement Unjudged { get; } = new("unjudged", false);

    /// <summary>The closed set of <c>verdict</c>.</summary>
    public static IReadOnlyList<Judgement> Verdicts { get; } = [Lost, Unreported, Hung, NotQueued, Overdue];

    /// <summary>The closed set of <c>state</c>.</summary>
    public static IReadOnlyList<Judgement> States { get; } = [Queued, Running, Paused, Requeued, Settling, Unjudged];

    public override string ToString() => Word;
}

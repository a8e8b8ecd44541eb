namespace HarborScanExporter.Diagnosis;

/// <summary>
/// What a task that is not over is: exactly one verdict when it is stuck, or exactly one state when it is not. Switches over it name every member, so that the
/// compiler shows where a new one has to be thought of.
/// </summary>
internal enum Judgement
{
    /// <summary>The evidence does not suffice for any other word.</summary>
    Unjudged,

    /// <summary>Too young, or just changing.</summary>
    Settling,

    Queued,

    Running,

    /// <summary>An operator paused the queue.</summary>
    Paused,

    /// <summary>
    /// A pool that no longer beats holds the job, dead or only frozen, or a job whose row says Running waits in the queue again. A living job
    /// service queues anew what a dead pool holds within about eleven minutes (harbor-facts 6.1).
    /// </summary>
    Requeued,

    /// <summary>Nothing will ever report on it: the job service does not know the job.</summary>
    Lost,

    /// <summary>The work is over and its reports are stored; only the status never arrived.</summary>
    Unreported,

    /// <summary>A worker holds it and does not get on.</summary>
    Hung,

    /// <summary>The job service knows the job, but it stands in no queue.</summary>
    NotQueued,

    /// <summary>It runs longer than a scan may, and rows alone cannot say why.</summary>
    Overdue,
}

/// <summary>The words of <see cref="Judgement"/>, and which of them are verdicts.</summary>
internal static class JudgementWords
{
    private static readonly IReadOnlyList<Judgement> AllVerdicts = [Judgement.Lost, Judgement.Unreported, Judgement.Hung, Judgement.NotQueued, Judgement.Overdue];

    private static readonly IReadOnlyList<Judgement> AllStates =
        [Judgement.Queued, Judgement.Running, Judgement.Paused, Judgement.Requeued, Judgement.Settling, Judgement.Unjudged];

    extension(Judgement judgement)
    {
        /// <summary>The label value of <c>verdict</c> or <c>state</c>.</summary>
        public string Word => judgement switch
        {
            Judgement.Unjudged => "unjudged",
            Judgement.Settling => "settling",
            Judgement.Queued => "queued",
            Judgement.Running => "running",
            Judgement.Paused => "paused",
            Judgement.Requeued => "requeued",
            Judgement.Lost => "lost",
            Judgement.Unreported => "unreported",
            Judgement.Hung => "hung",
            Judgement.NotQueued => "not_queued",
            Judgement.Overdue => "overdue",
        };

        /// <summary>Whether nothing in Harbor will end it within two hours.</summary>
        public bool IsStuck => judgement switch
        {
            Judgement.Lost or Judgement.Unreported or Judgement.Hung or Judgement.NotQueued or Judgement.Overdue => true,
            Judgement.Queued or Judgement.Running or Judgement.Paused or Judgement.Requeued or Judgement.Settling or Judgement.Unjudged => false,
        };
    }

    extension(Judgement)
    {
        /// <summary>The closed set of <c>verdict</c>.</summary>
        public static IReadOnlyList<Judgement> Verdicts => AllVerdicts;

        /// <summary>The closed set of <c>state</c>.</summary>
        public static IReadOnlyList<Judgement> States => AllStates;
    }
}

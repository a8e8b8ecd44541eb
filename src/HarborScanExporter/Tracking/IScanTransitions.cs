namespace HarborScanExporter.Tracking;

/// <summary>What the scrapes see happen to scan tasks, from one to the next.</summary>
internal interface IScanTransitions
{
    /// <summary>A task is over.</summary>
    /// <param name="type">Its vendor type.</param>
    /// <param name="status">Success, Error or Stopped.</param>
    /// <param name="duration">Seconds from its creation to its end; null when the row holds no usable time.</param>
    void Finished(string type, string status, double? duration);

    /// <summary>A task was seen Running for the first time.</summary>
    /// <param name="type">Its vendor type.</param>
    /// <param name="wait">Seconds from its creation to the start of work (harbor-facts 2.4); null when the row holds no usable time.</param>
    void Started(string type, double? wait);

    /// <summary>A task whose start of work was seen is over.</summary>
    /// <param name="type">Its vendor type.</param>
    /// <param name="run">Seconds from the start of work to its end; null when the row holds no usable time.</param>
    void Ran(string type, double? run);

    /// <summary>A task ended by its own work and was never seen Running.</summary>
    /// <param name="type">Its vendor type.</param>
    void StartUnseen(string type);
}

namespace Beyla.Agent.Spans;

/// <summary>
/// A sink that works aside of the tracing thread, on the one thread of exports: it may take its time, and does things by the clock. All
/// members are called on that thread.
/// </summary>
public interface IExportStage : IExportSink
{
    /// <summary>Does what is due.</summary>
    /// <param name="now">Milliseconds, as <see cref="Environment.TickCount64"/>.</param>
    /// <returns>When it wants to be called next at the latest, on the same clock; <see cref="long.MaxValue"/> for never.</returns>
    long Tick(long now);

    /// <summary>Nothing more comes: what was gathered goes on its way. All stages do so before one waits (<see cref="Finish"/>).</summary>
    void HandOver()
    {
    }

    /// <summary>Nothing more comes: sends what waits, for as long as there is time. What is left is lost, and counted.</summary>
    /// <param name="deadline">The last moment, on the clock of <see cref="Tick"/>.</param>
    void Finish(long deadline);
}

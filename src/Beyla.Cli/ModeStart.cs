using Beyla.Agent.Linux;
using Beyla.Agent.Logging;

namespace Beyla.Cli;

/// <summary>
/// The start of a mode, in either process: what the kernel refuses is said and left out, as the other mode may still work.
/// </summary>
internal static class ModeStart
{
    /// <summary>Starts a mode.</summary>
    /// <param name="mode">What it is, for the log.</param>
    /// <param name="start">Starts it; null where that is not to be, which was said.</param>
    /// <returns>Null when it did not start.</returns>
    public static T? Try<T>(string mode, Func<T?> start)
        where T : class
    {
        try
        {
            return start();
        }
        catch (KernelException refusal)
        {
            Log.Debug("The whole log of the kernel", ("log", refusal.Log));
            Log.Error($"{mode} did not start", ("error", refusal.Message), ("help", "beyla capability test --probe tells what is missing"));
            return null;
        }
    }
}

using System.Globalization;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Flows;

/// <summary>
/// The agent's classifiers on clsact. They outlive a killed agent, so each one's name says whose it is
/// (<c>beyla_flow:NAMESPACE:PID:START</c>, with the inode of the pid namespace, and with <c>:made</c> where the agent made
/// the discipline too), and those whose process is gone are removed. Those of others, and of agents in other pid
/// namespaces, of whose processes nothing can be known, are never touched.
/// </summary>
internal sealed class ClsactFilters : IDisposable
{
    private const string Prefix = "beyla_flow:", Made = ":made";

    private static readonly string Namespace = PidNamespace();

    private readonly TrafficControl control = new();
    private readonly string owner = FormattableString.Invariant($"{Prefix}{Namespace}:{Environment.ProcessId}:{StartTime("self")}");
    private readonly Dictionary<int, List<TrafficFilter>> inUse = [];
    private readonly HashSet<int> madeHere = [];

    /// <summary>
    /// Attaches one classifier; disposing it detaches it, and removes the discipline when it was made here and nobody else uses it.
    /// </summary>
    internal IDisposable Attach(BpfProgram program, int interfaceIndex, bool egress)
    {
        if (control.CreateDiscipline(interfaceIndex))
        {
            _ = madeHere.Add(interfaceIndex);
        }

        var name = $"{owner}{(egress ? ":egress" : ":ingress")}{(madeHere.Contains(interfaceIndex) ? Made : "")}";
        TrafficFilter filter;
        try
        {
            filter = control.Attach(program, interfaceIndex, egress, name);
        }
        catch
        {
            RemoveDisciplineIfUnused(interfaceIndex);
            throw;
        }

        if (!inUse.TryGetValue(interfaceIndex, out var filters))
        {
            inUse[interfaceIndex] = filters = [];
        }

        filters.Add(filter);
        return new Attached(this, filter);
    }

    /// <summary>Whether all that was attached to an interface is still there. Needs no capability.</summary>
    internal bool IsIntact(int interfaceIndex)
    {
        if (!inUse.TryGetValue(interfaceIndex, out var filters) || filters.Count == 0)
        {
            return true;
        }

        var there = All(interfaceIndex);
        if (filters.TrueForAll(there.Contains))
        {
            return true;
        }

        // Whoever took all of them away may have taken the discipline too: the one that is there now may be another's.
        if (!filters.Exists(there.Contains))
        {
            _ = madeHere.Remove(interfaceIndex);
        }

        return false;
    }

    /// <summary>What killed agents left on an interface. Needs no capability.</summary>
    internal List<TrafficFilter> Leftovers(int interfaceIndex) => All(interfaceIndex).FindAll(static filter => IsLeftover(filter.Name));

    /// <summary>Removes what killed agents left on an interface.</summary>
    internal void RemoveLeftovers(int interfaceIndex)
    {
        foreach (var filter in Leftovers(interfaceIndex))
        {
            control.Detach(filter);
            if (filter.Name.EndsWith(Made, StringComparison.Ordinal))
            {
                _ = madeHere.Add(interfaceIndex); // the discipline is ours now
            }
        }

        RemoveDisciplineIfUnused(interfaceIndex);
    }

    /// <inheritdoc/>
    public void Dispose() => control.Dispose();

    /// <summary>Whether a classifier has our name, belongs to this pid namespace, and its agent is gone.</summary>
    internal static bool IsLeftover(string name)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var parts = name[Prefix.Length..].Split(':');
        return parts.Length >= 3
            && parts[0].Length > 0 && parts[0] == Namespace
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            && StartTime(pid.ToString(CultureInfo.InvariantCulture)) != parts[2];
    }

    /// <summary>
    /// Inode of the pid namespace that the mounted /proc and the agent's own pid are of; empty when they are not the
    /// same or it cannot be told.
    /// </summary>
    internal static string PidNamespace()
    {
        try
        {
            var self = new FileInfo("/proc/self").ResolveLinkTarget(returnFinalTarget: false)?.Name;
            var link = new FileInfo("/proc/self/ns/pid").ResolveLinkTarget(returnFinalTarget: false)?.Name ?? ""; // pid:[4026531836]
            return self == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
                && link.StartsWith("pid:[", StringComparison.Ordinal)
                ? link[5..^1]
                : "";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Field 22 of /proc/PID/stat: a pid with the same one is the same process. Empty when there is none.</summary>
    internal static string StartTime(string process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process}/stat");
            // The name in parentheses may hold blanks and parentheses itself.
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            return "";
        }
    }

    private void Detach(TrafficFilter filter)
    {
        // Its place may be another's by now.
        if (control.List(filter.Interface, filter.Egress).Contains(filter))
        {
            control.Detach(filter);
        }

        _ = inUse[filter.Interface].Remove(filter);
        RemoveDisciplineIfUnused(filter.Interface);
    }

    private void RemoveDisciplineIfUnused(int interfaceIndex)
    {
        if (inUse.GetValueOrDefault(interfaceIndex) is null or { Count: 0 } && madeHere.Remove(interfaceIndex)
            && All(interfaceIndex).Count == 0)
        {
            control.RemoveDiscipline(interfaceIndex);
        }
    }

    private List<TrafficFilter> All(int interfaceIndex) =>
        [.. control.List(interfaceIndex, egress: false), .. control.List(interfaceIndex, egress: true)];

    private sealed class Attached(ClsactFilters filters, TrafficFilter filter) : IDisposable
    {
        public void Dispose() => filters.Detach(filter);
    }
}

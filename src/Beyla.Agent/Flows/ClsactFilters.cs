using System.Globalization;
using Beyla.Agent.Kernel;

namespace Beyla.Agent.Flows;

/// <summary>
/// The agent's classifiers on clsact. They outlive a killed agent, so each one's name says whose it is (<c>beyla_flow:PID:START</c>, with
/// <c>:made</c> where the agent made the discipline too), and those whose process is gone are removed. Those of others are never touched.
/// </summary>
internal sealed class ClsactFilters : IDisposable
{
    private const string Prefix = "beyla_flow:", Made = ":made";

    private readonly TrafficControl control = new();
    private readonly string owner = FormattableString.Invariant($"{Prefix}{Environment.ProcessId}:{StartTime("self")}");
    private readonly Dictionary<int, int> inUse = [];
    private readonly HashSet<int> madeHere = [];

    /// <summary>Attaches one classifier; disposing it detaches it, and removes the discipline when it was made here and nobody else uses it.</summary>
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

        inUse[interfaceIndex] = inUse.GetValueOrDefault(interfaceIndex) + 1;
        return new Attached(this, filter);
    }

    /// <summary>Removes what killed agents left on an interface.</summary>
    internal void RemoveLeftovers(int interfaceIndex)
    {
        foreach (var filter in All(interfaceIndex))
        {
            if (!IsLeftover(filter.Name))
            {
                continue;
            }

            control.Detach(filter);
            if (filter.Name.EndsWith(Made, StringComparison.Ordinal))
            {
                _ = madeHere.Add(interfaceIndex); // the discipline is ours now
            }
        }

        RemoveDisciplineIfUnused(interfaceIndex);
    }

    public void Dispose() => control.Dispose();

    /// <summary>Whether a classifier has our name and its agent is gone.</summary>
    internal static bool IsLeftover(string name)
    {
        if (!name.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        var parts = name[Prefix.Length..].Split(':');
        return parts.Length >= 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            && StartTime(pid.ToString(CultureInfo.InvariantCulture)) != parts[1];
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
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or IndexOutOfRangeException or ArgumentOutOfRangeException)
        {
            return "";
        }
    }

    private void Detach(TrafficFilter filter)
    {
        control.Detach(filter);
        inUse[filter.Interface]--;
        RemoveDisciplineIfUnused(filter.Interface);
    }

    private void RemoveDisciplineIfUnused(int interfaceIndex)
    {
        if (inUse.GetValueOrDefault(interfaceIndex) == 0 && madeHere.Remove(interfaceIndex) && All(interfaceIndex).Count == 0)
        {
            control.RemoveDiscipline(interfaceIndex);
        }
    }

    private List<TrafficFilter> All(int interfaceIndex) => [.. control.List(interfaceIndex, egress: false), .. control.List(interfaceIndex, egress: true)];

    private sealed class Attached(ClsactFilters filters, TrafficFilter filter) : IDisposable
    {
        public void Dispose() => filters.Detach(filter);
    }
}

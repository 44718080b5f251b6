using Beyla.Agent.Configuration;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Flows;

/// <summary>Decides by its name whether an interface is observed.</summary>
internal sealed class InterfaceFilter(NetworkConfiguration options)
{
    private readonly bool excludeIsDefault = options.ExcludeInterfaces is [{ Text: "lo" }];

    /// <summary>Whether the interface of that name is to be observed.</summary>
    internal bool Wants(string name)
    {
        var named = Any(options.Interfaces, name);
        if (options.Interfaces.Count > 0 && !named)
        {
            return false;
        }

        // Who names an interface wants it, also when it is one that is left out by default.
        return !Any(options.ExcludeInterfaces, name) || (named && excludeIsDefault);
    }

    private static bool Any(IReadOnlyList<NamePattern> patterns, string name)
    {
        foreach (var pattern in patterns)
        {
            if (pattern.IsMatch(name))
            {
                return true;
            }
        }

        return false;
    }
}

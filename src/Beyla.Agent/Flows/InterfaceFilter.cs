namespace Beyla.Agent.Flows;

/// <summary>Decides by its name whether an interface is observed.</summary>
internal sealed class InterfaceFilter(FlowOptions options)
{
    internal bool Wants(string name)
    {
        var named = Any(options.Interfaces, name);
        if (options.Interfaces.Count > 0 && !named)
        {
            return false;
        }

        // Who names an interface wants it, also when it is one that is left out by default.
        return !Any(options.ExcludeInterfaces, name) || (named && options.ExcludeIsDefault);
    }

    private static bool Any(IReadOnlyList<Predicate<string>> patterns, string name)
    {
        foreach (var pattern in patterns)
        {
            if (pattern(name))
            {
                return true;
            }
        }

        return false;
    }
}

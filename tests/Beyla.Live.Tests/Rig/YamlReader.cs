namespace Beyla.Live.Tests.Rig;

/// <summary>A reader of YAML that is not the agent's own: PyYAML.</summary>
internal static class YamlReader
{
    private static readonly Lazy<string?> Python = new(static () =>
        Tool.TryFind("python3") is { } python && HasYaml(python) ? python : null);

    /// <summary>Whether there is one.</summary>
    public static bool Exists => Python.Value is not null;

    /// <summary>All documents of a file, as a JSON array.</summary>
    public static Task<string> ToJsonAsync(string path) =>
        Tool.RunAsync(Python.Value!, "-c", "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))", path);

    private static bool HasYaml(string python)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(python, ["-c", "import yaml"]) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}

/// <summary><see cref="LiveTheoryAttribute"/> that needs a <see cref="YamlReader"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class YamlTheoryAttribute : TheoryAttribute
{
    public YamlTheoryAttribute()
    {
        Skip = LiveConditions.ReasonToSkip([]) ?? (YamlReader.Exists ? null : "python3 has no module yaml (apt-get install python3-yaml)");
        Timeout = LiveConditions.Limit;
    }
}

using Beyla.Agent.Configuration;

namespace Beyla.Agent.Tests.Configuration;

/// <summary>Loads configurations without a file system and without the environment of the test process.</summary>
internal static class Loaded
{
    public const string File = "beyla.yml";

    public static LoadedConfiguration From(string yaml = "", (string, string)[]? environment = null, params string[] arguments) =>
        ConfigurationLoader.LoadText(yaml, File, Variables(environment), CommandLine.Parse(arguments, ["config", "capability"]));

    public static LoadedConfiguration Environment(params (string, string)[] environment) => From("", environment);

    public static Dictionary<string, string> Variables(params (string, string)[]? environment) =>
        (environment ?? []).ToDictionary(static pair => pair.Item1, static pair => pair.Item2);

    public static Setting Setting(this LoadedConfiguration loaded, string path) =>
        loaded.Settings.Single(setting => setting.Key.Path == path);
}

using Beyla.Agent.Logging;

namespace Beyla.Agent.Configuration;

/// <summary>What the command line asks for.</summary>
public sealed class CommandLine
{
    private readonly List<(string Key, string Value, string Option)> settings = [];
    private readonly List<string> remaining = [];

    private CommandLine()
    {
    }

    /// <summary>The command: null to run the agent, else one of those given to <see cref="Parse"/>.</summary>
    public string? Command { get; private set; }

    /// <summary>Whether help is asked for; nothing else counts then.</summary>
    public bool Help { get; private set; }

    /// <summary>Whether the version is asked for.</summary>
    public bool Version { get; private set; }

    /// <summary>The configuration file; null when none is named here.</summary>
    public string? ConfigurationFile { get; private set; }

    /// <summary>Settings in their order (a later one wins): path, value, and the option as it was written.</summary>
    public IReadOnlyList<(string Key, string Value, string Option)> Settings => settings;

    /// <summary>What is left for the command: options that are not common to all, with their values, in their order.</summary>
    public IReadOnlyList<string> Remaining => remaining;

    /// <summary>Reads the arguments.</summary>
    /// <param name="arguments">The arguments without the program name.</param>
    /// <param name="commands">The commands that exist; each reads <see cref="Remaining"/> by itself.</param>
    /// <exception cref="ConfigurationException">An option is unknown or has no value, or there is a word too many.</exception>
    public static CommandLine Parse(IReadOnlyList<string> arguments, IReadOnlyCollection<string> commands)
    {
        var result = new CommandLine();
        var problems = new List<string>();
        var said = false;
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument.Length < 2 || argument[0] != '-')
            {
                // After an option that is unknown it may be that option's value: one mistake.
                if (!said || result.Command is not null || commands.Contains(argument))
                {
                    result.Word(argument, commands, problems);
                }

                said = false;
                continue;
            }

            var before = problems.Count;

            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? argument : argument[..equals];
            var inline = equals < 0 ? null : argument[(equals + 1)..];
            switch (name)
            {
                case "--help" or "-h" or "-help":
                    result.Help = true;
                    break;
                case "--version" or "-V":
                    result.Version = true;
                    break;
                case "--config" or "-config":
                    if (Value(name, inline, arguments, ref i, problems) is { } file)
                    {
                        result.ConfigurationFile = file;
                    }

                    break;
                case "--set":
                    if (Value(name, inline, arguments, ref i, problems) is { } pair)
                    {
                        result.Set(pair, problems);
                    }

                    break;
                default:
                    result.Option(name, inline, arguments, ref i, commands.Count > 0, problems);
                    break;
            }

            said = problems.Count > before && inline is null;
        }

        if (problems.Count > 0 && !result.Help)
        {
            throw new ConfigurationException(problems);
        }

        return result;
    }

    private void Word(string word, IReadOnlyCollection<string> commands, List<string> problems)
    {
        if (Command is not null)
        {
            remaining.Add(word);
        }
        else if (commands.Contains(word))
        {
            Command = word;
        }
        else
        {
            problems.Add($"{LogText.Quote(word)} is not a command{Suggestion(NearestName.Find(word, commands))}");
        }
    }

    private void Set(string pair, List<string> problems)
    {
        var equals = pair.IndexOf('=', StringComparison.Ordinal);
        var path = equals < 0 ? pair : pair[..equals];
        if (equals <= 0)
        {
            problems.Add($"--set {LogText.Quote(pair)}: KEY=VALUE is expected, such as --set network.sampling=10");
        }
        else if (KeyIndex.Find(path) is not { } key)
        {
            problems.Add(
                $"--set {LogText.Quote(path)}: there is no such setting"
                + Suggestion(KeyIndex.NearestPath(path), "beyla config --all lists them"));
        }
        else
        {
            settings.Add((key.Path, pair[(equals + 1)..], "--set " + key.Path));
        }
    }

    private void Option(
        string name, string? inline, IReadOnlyList<string> arguments, ref int index, bool hasCommands, List<string> problems)
    {
        var option = CommandLineOption.All.FirstOrDefault(known => known.Name == name);
        if (option is { Argument: null })
        {
            settings.Add((option.Key, inline ?? "true", option.Name));
        }
        else if (option is not null && Value(name, inline, arguments, ref index, problems) is { } value)
        {
            settings.Add((option.Key, value, option.Name));
        }
        else if (option is null && hasCommands && Command is not null)
        {
            remaining.Add(arguments[index]);
        }
        else if (option is null)
        {
            problems.Add($"the option {LogText.Quote(name)} is unknown"
                + Suggestion(
                    NearestName.Find(
                        name,
                        CommandLineOption.All.Select(static known => known.Name).Concat(["--config", "--set", "--help", "--version"]))));
        }
    }

    private static string? Value(string name, string? inline, IReadOnlyList<string> arguments, ref int index, List<string> problems)
    {
        if (inline is not null)
        {
            return inline;
        }

        if (index + 1 < arguments.Count)
        {
            return arguments[++index];
        }

        problems.Add($"the option {name} needs a value");
        return null;
    }

    private static string Suggestion(string? nearest, string otherwise = "see beyla --help") =>
        nearest is null ? "; " + otherwise : $"; did you mean {nearest}?";
}

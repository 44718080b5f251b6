using System.Diagnostics;
using System.Globalization;

namespace Beyla.PowerShell.Agent;

/// <summary>What to start: the agent, its arguments, and the environment variables that configure it.</summary>
public sealed class AgentCommand
{
    // Puts a program into a session of its own and becomes that program, so that its process id stays the child's;
    // setsid(1) of util-linux and busybox.
    private static readonly string[] SessionLeaders = ["/usr/bin/setsid", "/bin/setsid"];

    private readonly Dictionary<string, string> settings = new(StringComparer.Ordinal);
    private readonly List<string> arguments;

    /// <summary>A command that runs <paramref name="path"/>.</summary>
    /// <param name="path">Full path of the agent.</param>
    /// <param name="arguments">Its arguments, each as one word.</param>
    public AgentCommand(string path, params string[] arguments)
    {
        Path = path;
        this.arguments = [.. arguments];
    }

    /// <summary>Full path of the agent.</summary>
    public string Path { get; }

    /// <summary>The runspace that the agent works for; removing the module from it stops the agent. Empty for none.</summary>
    public Guid Owner { get; init; }

    /// <summary>Whether the agent reads its standard input, and is done when that ends.</summary>
    public bool ReadsInput { get; init; }

    /// <summary>Its arguments.</summary>
    public IReadOnlyList<string> Arguments => this.arguments;

    /// <summary>The variables that are set for the agent, over those of this process.</summary>
    public IReadOnlyDictionary<string, string> Settings => settings;

    /// <summary>Sets a variable. It wins over the caller's environment and over a configuration file; null leaves both alone.</summary>
    public AgentCommand With(string variable, string? value)
    {
        if (value is not null)
        {
            settings[variable] = value;
        }

        return this;
    }

    /// <summary>Sets a setting by its path in the configuration file; it wins over everything.</summary>
    public AgentCommand WithSetting(string path, string value)
    {
        this.arguments.Add("--set");
        this.arguments.Add($"{path}={value}");
        return this;
    }

    /// <summary>
    /// The command as a shell would take it, for messages. Values are quoted where a shell needs it.
    /// </summary>
    public override string ToString() => string.Join(' ',
        settings.Where(s => s.Key is not ("BEYLA_EXIT_WITH_PARENT" or "BEYLA_LOG_FORMAT")).Select(s => s.Key + "=" + Quoted(s.Value))
            .Append(Quoted(Path)).Concat(Arguments.Select(Quoted)));

    /// <summary>A word as a POSIX shell reads it back.</summary>
    public static string Quoted(string word) =>
        word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:,=+@%".Contains(c, StringComparison.Ordinal))
            ? word
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    /// <summary>A duration as the agent reads it: <c>1500ms</c>, in microseconds where it must be.</summary>
    public static string Duration(TimeSpan time)
    {
        var microseconds = Math.Max((long)time.TotalMicroseconds, 1);
        return microseconds % 1000 == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1000}ms")
            : string.Create(CultureInfo.InvariantCulture, $"{microseconds}us");
    }

    /// <summary>
    /// How the agent is started: in a session of its own where the host has a program for that, with its input and
    /// outputs as pipes.
    /// </summary>
    internal ProcessStartInfo ToStartInfo()
    {
        // Away from the terminal: Ctrl+C there is for the shell, which ends the agent itself or, for a job, does not.
        var leader = Array.Find(SessionLeaders, File.Exists);
        var start = new ProcessStartInfo(leader ?? Path)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (leader is not null)
        {
            start.ArgumentList.Add(Path);
        }

        foreach (var argument in Arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (variable, value) in settings)
        {
            start.Environment[variable] = value;
        }

        return start;
    }
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Beyla.PowerShell.Agent;

/// <summary>
/// Finds the agent and says what is wrong with it before it is started, since the operating system's answer names
/// neither the file nor the remedy.
/// </summary>
public static class AgentFile
{
    /// <summary>Where the agent lies, seen from the folder of the module's assembly.</summary>
    public const string PlaceInModule = "bin/beyla";

    private const uint ElfMagic = 0x7F45_4C46;

    /// <summary>The module's folder, where its assembly is.</summary>
    public static string ModuleFolder => Path.GetDirectoryName(typeof(AgentFile).Assembly.Location) ?? AppContext.BaseDirectory;

    /// <summary>
    /// The agent to run: the one that was asked for, else the one in the module, else the first <c>beyla</c> in PATH. No
    /// environment variable but PATH is asked.
    /// </summary>
    /// <param name="asked">Full path that the user gave, or null.</param>
    /// <exception cref="AgentException">There is none, or it cannot run here.</exception>
    public static string Find(string? asked) => Find(asked, ModuleFolder, Environment.GetEnvironmentVariable("PATH"));

    /// <summary>The same with the folder of the module and the value of PATH given.</summary>
    internal static string Find(string? asked, string moduleFolder, string? searchPath)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new AgentException(AgentFault.NotLinux, $"Beyla observes Linux hosts; this one runs {RuntimeInformation.OSDescription}.",
                "Run the command on a Linux host, for example with Invoke-Command -HostName.", RuntimeInformation.OSDescription);
        }

        if (asked is not null)
        {
            return File.Exists(asked)
                ? Checked(asked)
                : throw new AgentException(AgentFault.AgentNotFound, $"There is no agent at '{asked}'.",
                    "Give -AgentPath the full path of the beyla executable.", asked);
        }

        var own = Path.Combine(moduleFolder, PlaceInModule);
        if (File.Exists(own))
        {
            return Checked(own);
        }

        foreach (var folder in (searchPath ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            // A relative entry would make the current folder decide which program runs.
            var candidate = Path.Combine(folder, "beyla");
            if (Path.IsPathRooted(folder) && File.Exists(candidate))
            {
                return Checked(candidate);
            }
        }

        throw new AgentException(AgentFault.AgentNotFound, $"The agent is neither at '{own}' nor in PATH.",
            "Build it with ./build.sh build, install the package again, or name it with -AgentPath.", own);
    }

    [UnsupportedOSPlatform("windows")]
    private static string Checked(string path)
    {
        if ((File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) == 0)
        {
            throw new AgentException(
                AgentFault.AgentNotExecutable, $"The agent '{path}' has no execute permission.", $"Run: chmod +x '{path}'", path);
        }

        Span<byte> head = stackalloc byte[20];
        int read;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        }
        catch (UnauthorizedAccessException)
        {
            // Executing needs no read permission; the kernel judges then.
            return path;
        }

        // A script is a way to run the agent elsewhere or with more rights.
        if (read >= 2 && head[0] == '#' && head[1] == '!')
        {
            return path;
        }

        if (read < head.Length || BinaryPrimitives.ReadUInt32BigEndian(head) != ElfMagic)
        {
            throw new AgentException(AgentFault.AgentNotExecutable, $"The agent '{path}' is not an executable.",
                "Give -AgentPath the full path of the beyla executable.", path);
        }

        var machine = BinaryPrimitives.ReadUInt16LittleEndian(head[18..]);
        if (machine != Machine(RuntimeInformation.OSArchitecture))
        {
            throw new AgentException(AgentFault.AgentWrongArchitecture,
                $"The agent '{path}' is built for {MachineName(machine)}; this host is {RuntimeInformation.OSArchitecture}.",
                "Install the agent that is built for this processor, or name one with -AgentPath.", path);
        }

        return path;
    }

    // e_machine of the ELF header, elf(5).
    private static ushort Machine(Architecture architecture) => architecture switch
    {
        Architecture.X64 => 62,
        Architecture.Arm64 => 183,
        _ => 0,
    };

    private static string MachineName(ushort machine) => machine switch
    {
        3 => "x86",
        40 => "arm",
        62 => "X64",
        183 => "Arm64",
        243 => "RISC-V",
        _ => $"processor type {machine}",
    };
}

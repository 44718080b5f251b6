using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Capabilities;

/// <summary>
/// Decides whether a file may be given capabilities: only this agent's own kind, compiled ahead of time. A CoreCLR host with capabilities
/// runs what its caller's environment names (DOTNET_STARTUP_HOOKS, DOTNET_ROOT, profilers), so it never gets any.
/// </summary>
internal static class AgentFileRules
{
    private const int ChunkSize = 1 << 20;

    // Lies in the read-only data of every agent that is compiled ahead of time, and in no host.
    private static ReadOnlySpan<byte> Mark => "\u0001beyla agent, compiled ahead of time, takes no code from its environment\u0001"u8;

    /// <summary>Why the file may not be given capabilities; null when it may.</summary>
    internal static string? Refuse(CapabilityFile file)
    {
        var mode = file.Mode();
        if ((mode & FileStatus.TypeMask) != FileStatus.Regular)
        {
            return "it is not a regular file";
        }

        if ((mode & 0x12) != 0) // 0022
        {
            return $"its group or others may write it (mode {Convert.ToString(mode & 0xfff, 8).PadLeft(4, '0')}); chmod go-w it first";
        }

        if ((mode & 0x49) == 0) // 0111
        {
            return "it is not executable";
        }

        return RefuseContent(file)
            ?? (file.OnNosuid() ? "it is on a file system mounted nosuid, which ignores file capabilities; put it elsewhere" : null);
    }

    private static string? RefuseContent(CapabilityFile file)
    {
        Span<byte> head = stackalloc byte[64];
        var length = file.ReadStart(head, 0);
        head = head[..length];
        if (head.StartsWith("#!"u8))
        {
            return "it is a script; the kernel ignores capabilities of scripts";
        }

        // Elf64_Ehdr: e_ident, then e_type (2 executable, 3 position independent).
        if (length < 64 || !head.StartsWith("\u007fELF"u8) || BinaryPrimitives.ReadUInt16LittleEndian(head[16..]) is not (2 or 3))
        {
            return "it is not an ELF executable";
        }

        // A host of CoreCLR, an apphost too, finds the runtime by this function. The text is built here so that this program does not
        // contain it.
        var host = Encoding.ASCII.GetBytes(string.Concat("hostfxr", "_", "main").ToCharArray());
        var (isHost, isAgent) = Search(file, host);
        return isHost ? "it is a host of CoreCLR (dotnet, pwsh or an apphost), which runs code that its caller's environment names"
            : !isAgent ? "it is not this agent's own kind of file"
            : null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (bool IsHost, bool IsAgent) Search(CapabilityFile file, byte[] host)
    {
        var mark = Mark;
        var buffer = new byte[ChunkSize + mark.Length];
        var (isHost, isAgent, held) = (false, false, 0);
        for (long offset = 0; ;)
        {
            var length = file.ReadStart(buffer.AsSpan(held), offset);
            if (length == 0)
            {
                return (isHost, isAgent);
            }

            offset += length;
            var seen = buffer.AsSpan(0, held + length);
            isHost |= seen.IndexOf(host) >= 0;
            isAgent |= seen.IndexOf(mark) >= 0;
            // What could be the beginning of a match stays for the next round.
            held = Math.Min(seen.Length, mark.Length - 1);
            seen[^held..].CopyTo(buffer);
        }
    }
}

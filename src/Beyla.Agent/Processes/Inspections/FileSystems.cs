using System.Buffers.Text;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Processes.Inspections;

/// <summary>
/// Says of which files the content may be opened. A read from a FUSE file system waits for a process that anybody may
/// have written, and once that has the request, not even SIGKILL ends the wait (fs/fuse/dev.c, request_wait_answer):
/// a thread in it would keep the agent from ending. Such files, layers over them, and files of which the kernel does
/// not tell where they lie, are not opened. Of all others a wait can be killed.
/// </summary>
internal sealed class FileSystems(ProcReader proc)
{
    private ulong? memoryDevice;

    /// <param name="pid">The process that runs the file.</param>
    /// <param name="file">What the kernel knows of it.</param>
    internal bool MayOpen(int pid, in FileStatus file)
    {
        if (file.Mount is not { } mount || (Type(0, mount) ?? Type(pid, mount)) is not { } type)
        {
            return IsBlockDevice(file.Identity.Device) || file.Identity.Device == MemoryDevice();
        }

        if (type == Kind.Local)
        {
            return true;
        }
        // In a user namespace of their own, any user may lay an overlay over FUSE; outside of one it takes privilege.
        return type == Kind.Layered && proc.IsInOwnUserNamespace(pid);
    }

    private enum Kind : byte
    {
        Local, Layered, Fuse,
    }

    private struct Search
    {
        public ulong Mount;
        public Kind? Found;
    }

    private Kind? Type(int pid, ulong mount)
    {
        var search = new Search { Mount = mount };
        proc.VisitMounts(pid, static (line, ref search) =>
        {
            if (!Utf8Parser.TryParse(line, out ulong number, out _) || number != search.Mount)
            {
                return true;
            }

            search.Found = KindOf(line);
            return false;
        }, ref search);
        return search.Found;
    }

    /// <summary>
    /// The file system type follows the separator of a line of mountinfo; names before it have no blanks, which are escaped there.
    /// </summary>
    private static Kind KindOf(ReadOnlySpan<byte> line)
    {
        var at = line.IndexOf(" - "u8);
        var type = at < 0 ? default : line[(at + 3)..];
        if (type.IsEmpty || type.StartsWith("fuse"u8))
        {
            return Kind.Fuse;
        }

        return type.StartsWith("overlay "u8) ? Kind.Layered : Kind.Local;
    }

    /// <summary>
    /// A file system on a block device is mounted by root alone; others have the major number 0 (include/linux/kdev_t.h).
    /// </summary>
    private static bool IsBlockDevice(ulong device) => device >> 32 != 0;

    /// <summary>The device of memfd_create(2), which no mountinfo shows.</summary>
    private ulong MemoryDevice()
    {
        if (memoryDevice is { } known)
        {
            return known;
        }

        var file = MemoryFile.Create("beyla");
        memoryDevice = file >= 0 && ProcCalls.TryIdentify(file, out var status) ? status.Identity.Device : 0;
        if (file >= 0)
        {
            ProcCalls.Close(file);
        }

        return memoryDevice.Value;
    }
}

/// <summary>Knows on which devices a read has not come back.</summary>
internal interface IFileGate
{
    /// <summary>Whether to open a file there. From then on the look counts as one at this device.</summary>
    /// <param name="device">As in <see cref="FileIdentity.Device"/>.</param>
    bool MayOpen(ulong device);
}

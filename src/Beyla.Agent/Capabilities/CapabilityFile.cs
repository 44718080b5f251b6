using System.Runtime.InteropServices;
using Beyla.Agent.Linux;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Capabilities;

/// <summary>
/// A file that is open for its capabilities; all questions and changes go to this one file, whatever happens to its name.
/// </summary>
internal sealed unsafe class CapabilityFile : SafeHandleMinusOneIsInvalid
{
    private const string Attribute = "security.capability";

    private CapabilityFile(string path, int file)
        : base(ownsHandle: true)
    {
        Path = path;
        SetHandle(file);
    }

    /// <summary>The path that was opened.</summary>
    internal string Path { get; }

    /// <summary>Opens for reading; a last component that is a symbolic link is followed.</summary>
    /// <exception cref="KernelException">The file cannot be opened.</exception>
    internal static CapabilityFile Open(string path)
    {
        // Non-blocking, so that a named pipe does not hold us up before it is refused.
        var file = FileCalls.open(path, FileCalls.O_RDONLY | FileCalls.O_CLOEXEC | FileCalls.O_NONBLOCK, 0);
        return file < 0 ? throw Fail("open", path) : new CapabilityFile(path, file);
    }

    /// <summary>Opens the file that this process runs, whatever its name leads to by now.</summary>
    /// <param name="name">The name to show.</param>
    /// <exception cref="KernelException">The file cannot be opened.</exception>
    internal static CapabilityFile OpenOwn(string name)
    {
        var file = FileCalls.open("/proc/self/exe", FileCalls.O_RDONLY | FileCalls.O_CLOEXEC, 0);
        return file < 0 ? throw Fail("open", name) : new CapabilityFile(name, file);
    }

    /// <summary>
    /// Keeps others from opening it for writing until it is closed (a read lease, fcntl(2)), so that what was examined is what gets the
    /// capabilities. Takes the file's owner, or CAP_LEASE.
    /// </summary>
    /// <returns>False where the file system has no leases.</returns>
    /// <exception cref="KernelException">EAGAIN: a process has it open for writing.</exception>
    internal bool HoldStill()
    {
        // Who wants to write is held up by the kernel and we are told by a signal: one that does not end this process.
        _ = FileCalls.fcntl((int)handle, FileCalls.F_SETSIG, FileCalls.SIGURG);
        if (FileCalls.fcntl((int)handle, FileCalls.F_SETLEASE, FileCalls.F_RDLCK) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() == Errno.EAGAIN ? throw Fail("hold still", Path) : false;
    }

    /// <summary>Type and permission bits (inode(7)).</summary>
    internal int Mode() => FileStatus.TryRead((int)handle, "", FileStatus.EmptyPath, FileStatus.Basic, out var status)
        ? status.Mode
        : throw Fail("stat", Path);

    /// <summary>Whether its file system is mounted nosuid, where file capabilities are ignored.</summary>
    internal bool OnNosuid()
    {
        FileCalls.FileSystemStatus status = default;
        return FileCalls.fstatvfs((int)handle, &status) < 0 ? throw Fail("statvfs", Path) : (status.Flags & FileCalls.ST_NOSUID) != 0;
    }

    /// <summary>What the file carries; null for nothing.</summary>
    internal FileCapabilities? Read()
    {
        var bytes = stackalloc byte[64];
        var length = FileCalls.fgetxattr((int)handle, Attribute, bytes, 64);
        var errno = length < 0 ? Marshal.GetLastPInvokeError() : 0;
        return errno switch
        {
            0 => FileCapabilities.Decode(new ReadOnlySpan<byte>(bytes, (int)length)),
            Errno.ENODATA or Errno.EOPNOTSUPP => null,
            _ => throw new KernelException($"read the file capabilities of {Path}", errno),
        };
    }

    /// <summary>Gives the file these and reads them back.</summary>
    /// <exception cref="KernelException">EPERM without CAP_SETFCAP, EOPNOTSUPP where the file system has no such attribute.</exception>
    internal void Write(FileCapabilities capabilities)
    {
        var bytes = capabilities.Encode();
        fixed (byte* value = bytes)
        {
            if (FileCalls.fsetxattr((int)handle, Attribute, value, (nuint)bytes.Length, 0) < 0)
            {
                throw Fail("write the file capabilities of", Path);
            }
        }

        var found = Read();
        if (found is null || found.Permitted != capabilities.Permitted || found.Effective != capabilities.Effective)
        {
            throw new IOException($"file capabilities of {Path}: wrote {capabilities}, read back {found?.ToString() ?? "none"}");
        }
    }

    /// <summary>Takes all away; false when there was nothing.</summary>
    internal bool Remove()
    {
        if (FileCalls.fremovexattr((int)handle, Attribute) == 0)
        {
            return true;
        }

        var errno = Marshal.GetLastPInvokeError();
        return errno is Errno.ENODATA ? false : throw new KernelException($"remove the file capabilities of {Path}", errno);
    }

    /// <summary>The file's bytes from the start, as far as they fit; the number read.</summary>
    internal int ReadStart(Span<byte> buffer, long offset)
    {
        using var content = new SafeFileHandle(handle, ownsHandle: false);
        return RandomAccess.Read(content, buffer, offset);
    }

    protected override bool ReleaseHandle() => Descriptor.Close((int)handle);

    private static KernelException Fail(string verb, string path) => new($"{verb} {path}", Marshal.GetLastPInvokeError());
}

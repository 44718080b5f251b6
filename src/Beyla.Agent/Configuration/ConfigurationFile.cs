using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Linux;
using Beyla.Agent.Logging;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Configuration;

/// <summary>
/// Reads a configuration file that the caller names, without being of use to a caller who has fewer rights than the agent:
/// it must be a regular file of bounded size, and in a process with raised rights one that the caller may read and others may neither
/// write nor replace.
/// </summary>
public static partial class ConfigurationFile
{
    /// <summary>Largest file, in bytes.</summary>
    internal const int MaximumSize = 1024 * 1024;

    private const int ReadOnly = 0, NonBlocking = 0x800, NoControllingTerminal = 0x100, CloseOnExec = 0x80000;
    private const int OthersWrite = 0x12, EverybodyWrites = 0x2, Sticky = 0x200;
    private const int ReadAccess = 4;
    private const nuint SecureEntry = 23;

    /// <summary>
    /// Whether the program got rights from its file that its caller has not (AT_SECURE of the auxiliary vector, getauxval(3)).
    /// </summary>
    public static bool HasRaisedRights => AuxiliaryValue(SecureEntry) != 0;

    /// <summary>Reads the file as UTF-8.</summary>
    /// <param name="path">The path as the user wrote it.</param>
    /// <param name="raisedRights">Whether to refuse what others than root and the caller could have put there.</param>
    /// <exception cref="ConfigurationException">It cannot be read or must not be used; says why and what to do.</exception>
    internal static string Read(string path, bool raisedRights)
    {
        var shown = LogText.Quote(path);
        var what = $"the configuration file {shown}";
        using var file = OpenRegular(path, what, out var status);
        if (raisedRights)
        {
            RefusePlanted(shown, (int)file.DangerousGetHandle(), status);
        }

        return ReadText(file, what, status.Size);
    }

    /// <summary>Opens a regular file with the rights of this thread; waits for nobody and becomes nobody's terminal.</summary>
    /// <param name="path">The path as the user wrote it.</param>
    /// <param name="what">What it is, for a message.</param>
    /// <param name="status">What the kernel says of it.</param>
    /// <exception cref="ConfigurationException">It cannot be opened, or is something else.</exception>
    internal static SafeFileHandle OpenRegular(string path, string what, out FileStatus status)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
        {
            throw new ConfigurationException($"the path of {what} holds a zero character");
        }

        var descriptor = Open(path, ReadOnly | NonBlocking | NoControllingTerminal | CloseOnExec);
        if (descriptor < 0)
        {
            throw new ConfigurationException($"{what} cannot be opened: {LastError()}");
        }

        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        var problem = !FileStatus.TryRead(descriptor, "", FileStatus.EmptyPath, FileStatus.Basic, out status)
            ? $"{what} cannot be examined: {LastError()}"
            : status.IsRegular ? null : $"{what} is not a regular file";
        if (problem is null)
        {
            return file;
        }

        file.Dispose();
        throw new ConfigurationException(problem);
    }

    /// <summary>Whether the caller may read what is open here; if not, LastPInvokeError says why.</summary>
    internal static bool MayCallerRead(int descriptor) => Access($"/proc/self/fd/{descriptor}", ReadAccess) >= 0;

    /// <summary>Reads a file of at most <see cref="MaximumSize"/> bytes as UTF-8.</summary>
    /// <param name="file">Where it is open.</param>
    /// <param name="what">What it is, for a message.</param>
    /// <param name="size">How many bytes it is said to have.</param>
    /// <exception cref="ConfigurationException">It is longer, cannot be read, or is not UTF-8.</exception>
    internal static string ReadText(SafeFileHandle file, string what, ulong size)
    {
        if (size > MaximumSize)
        {
            throw new ConfigurationException($"{what} has {size} bytes, at most {MaximumSize} are allowed");
        }

        // One byte more than allowed shows a file that has grown since it was examined.
        var content = new byte[MaximumSize + 1];
        var length = 0;
        try
        {
            while (length < content.Length && RandomAccess.Read(file, content.AsSpan(length), length) is > 0 and var read)
            {
                length += read;
            }

            if (length > MaximumSize)
            {
                throw new ConfigurationException($"{what} has more than {MaximumSize} bytes");
            }

            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content, 0, length);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{what} cannot be read: {failure.Message}");
        }
        catch (DecoderFallbackException failure)
        {
            throw new ConfigurationException($"{what} is not UTF-8 at byte {failure.Index}");
        }
    }

    /// <summary>
    /// The agent may read more than its caller may, and acts on what it reads: the caller must be able to read the file himself,
    /// and nobody but root and the caller may have written it, or put it there: the rule of sshd(8) (StrictModes) for the whole way to
    /// the file.
    /// </summary>
    private static void RefusePlanted(string shown, int descriptor, in FileStatus status)
    {
        const string Reason = "is refused, because the agent has capabilities that its caller has not";
        // access(2) asks with the real user id and, for one that is not root, without capabilities.
        if (!MayCallerRead(descriptor))
        {
            throw new ConfigurationException($"the configuration file {shown} {Reason}: you may not read it yourself ({LastError()})");
        }

        if (!IsTrusted(status.Owner))
        {
            throw new ConfigurationException(
                $"the configuration file {shown} {Reason}: it belongs to user {status.Owner}; chown it to root or to yourself");
        }

        if ((status.Mode & OthersWrite) != 0)
        {
            throw new ConfigurationException(
                $"the configuration file {shown} {Reason}: {Writers(status.Mode)} may write it; run chmod go-w on it");
        }
        // Where the open file lies, whatever links led to it.
        var directory = Path.GetDirectoryName(File.ResolveLinkTarget($"/proc/self/fd/{descriptor}", returnFinalTarget: false)?.FullName);
        for (var parent = true; directory is not null; directory = Path.GetDirectoryName(directory), parent = false)
        {
            if (!FileStatus.TryRead(FileStatus.CurrentDirectory, directory, 0, FileStatus.Basic, out var above))
            {
                throw new ConfigurationException(
                    $"the configuration file {shown} {Reason}: {LogText.Quote(directory)} cannot be examined ({LastError()})");
            }

            if (!IsTrusted(above.Owner))
            {
                throw new ConfigurationException(
                    $"the configuration file {shown} {Reason}: the directory {LogText.Quote(directory)} belongs to user {above.Owner}, "
                    + "who may put another file there; move it to a directory of root or of your own");
            }
            // Further up a sticky directory such as /tmp keeps others from renaming what is mine.
            if ((above.Mode & OthersWrite) != 0 && (parent || (above.Mode & Sticky) == 0))
            {
                throw new ConfigurationException(
                    $"the configuration file {shown} {Reason}: {Writers(above.Mode)} may write the directory {LogText.Quote(directory)}; "
                    + "move it to a directory that only you or root can write, or run chmod go-w on that one");
            }
        }
    }

    private static bool IsTrusted(uint owner) => owner == 0 || owner == RealUserId();

    private static string Writers(int mode) => (mode & EverybodyWrites) != 0 ? "everybody" : "its group";

    private static string LastError() => Errno.Describe(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "getuid")]
    private static partial uint RealUserId();

    [LibraryImport("libc", EntryPoint = "getauxval")]
    private static partial nuint AuxiliaryValue(nuint type);
}

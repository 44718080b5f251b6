using System.Runtime.InteropServices;

namespace Beyla.Agent.Linux;

/// <summary>Names and texts of Linux error numbers (asm-generic/errno-base.h, errno.h).</summary>
public static class Errno
{
    /// <summary>The numbers that the agent asks for by name.</summary>
    public const int EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, E2BIG = 7, EBADF = 9, EAGAIN = 11, ENOMEM = 12, EACCES = 13,
        EBUSY = 16, EEXIST = 17, ENODEV = 19, EINVAL = 22, EMFILE = 24, ENOSPC = 28, EPIPE = 32, ENAMETOOLONG = 36, ENOSYS = 38,
        ENODATA = 61, EOPNOTSUPP = 95, ENETUNREACH = 101, ECONNRESET = 104, ETIMEDOUT = 110, ECONNREFUSED = 111,
        EHOSTUNREACH = 113;

    private static readonly Dictionary<int, string> Names = new()
    {
        [EPERM] = nameof(EPERM), [ENOENT] = nameof(ENOENT), [ESRCH] = nameof(ESRCH), [EINTR] = nameof(EINTR), [EIO] = nameof(EIO),
        [E2BIG] = nameof(E2BIG), [EBADF] = nameof(EBADF), [EAGAIN] = nameof(EAGAIN), [ENOMEM] = nameof(ENOMEM),
        [EACCES] = nameof(EACCES), [14] = "EFAULT", [EBUSY] = nameof(EBUSY), [EEXIST] = nameof(EEXIST), [18] = "EXDEV",
        [ENODEV] = nameof(ENODEV), [20] = "ENOTDIR", [21] = "EISDIR", [EINVAL] = nameof(EINVAL), [23] = "ENFILE", [EMFILE] = nameof(EMFILE),
        [26] = "ETXTBSY", [27] = "EFBIG", [ENOSPC] = nameof(ENOSPC), [30] = "EROFS", [EPIPE] = nameof(EPIPE), [34] = "ERANGE",
        [ENAMETOOLONG] = nameof(ENAMETOOLONG), [ENOSYS] = nameof(ENOSYS), [40] = "ELOOP", [ENODATA] = nameof(ENODATA),
        [64] = "ENONET", [71] = "EPROTO", [92] = "ENOPROTOOPT",
        [EOPNOTSUPP] = nameof(EOPNOTSUPP), [98] = "EADDRINUSE", [99] = "EADDRNOTAVAIL",
        [100] = "ENETDOWN", [ENETUNREACH] = nameof(ENETUNREACH), [103] = "ECONNABORTED", [ECONNRESET] = nameof(ECONNRESET),
        [105] = "ENOBUFS", [ETIMEDOUT] = nameof(ETIMEDOUT), [ECONNREFUSED] = nameof(ECONNREFUSED), [112] = "EHOSTDOWN",
        [EHOSTUNREACH] = nameof(EHOSTUNREACH), [524] = "ENOTSUPP",
    };

    /// <summary>The symbolic name, such as <c>EPERM</c>, or the number where no name is known.</summary>
    public static string Name(int errno) =>
        FindName(errno) ?? $"errno {errno.ToString(System.Globalization.CultureInfo.InvariantCulture)}";

    /// <summary>The symbolic name; null where none is known.</summary>
    public static string? FindName(int errno) => Names.GetValueOrDefault(errno);

    /// <summary>Name and text: <c>EPERM (Operation not permitted)</c>.</summary>
    public static string Describe(int errno) => $"{Name(errno)} ({Marshal.GetPInvokeErrorMessage(errno)})";
}

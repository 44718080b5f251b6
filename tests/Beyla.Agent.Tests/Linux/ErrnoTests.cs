using Beyla.Agent.Linux;

namespace Beyla.Agent.Tests.Linux;

/// <summary>
/// Names of error numbers; the numbers are those of include/uapi/asm-generic/errno-base.h and errno.h, 524 that of include/linux/errno.h.
/// </summary>
public sealed class ErrnoTests
{
    [Theory]
    [InlineData(1, "EPERM")]
    [InlineData(2, "ENOENT")]
    [InlineData(3, "ESRCH")]
    [InlineData(4, "EINTR")]
    [InlineData(5, "EIO")]
    [InlineData(7, "E2BIG")]
    [InlineData(9, "EBADF")]
    [InlineData(11, "EAGAIN")]
    [InlineData(12, "ENOMEM")]
    [InlineData(13, "EACCES")]
    [InlineData(14, "EFAULT")]
    [InlineData(16, "EBUSY")]
    [InlineData(17, "EEXIST")]
    [InlineData(18, "EXDEV")]
    [InlineData(19, "ENODEV")]
    [InlineData(20, "ENOTDIR")]
    [InlineData(21, "EISDIR")]
    [InlineData(22, "EINVAL")]
    [InlineData(23, "ENFILE")]
    [InlineData(24, "EMFILE")]
    [InlineData(26, "ETXTBSY")]
    [InlineData(27, "EFBIG")]
    [InlineData(28, "ENOSPC")]
    [InlineData(30, "EROFS")]
    [InlineData(32, "EPIPE")]
    [InlineData(34, "ERANGE")]
    [InlineData(38, "ENOSYS")]
    [InlineData(40, "ELOOP")]
    [InlineData(61, "ENODATA")]
    [InlineData(95, "EOPNOTSUPP")]
    [InlineData(524, "ENOTSUPP")]
    public void Names_are_those_of_the_header_files(int errno, string name) => Assert.Equal(name, Errno.Name(errno));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(4095)] // MAX_ERRNO
    public void A_number_without_a_name_is_shown_itself(int errno) => Assert.Equal($"errno {errno}", Errno.Name(errno));

    /// <summary>The text is strerror(3)'s.</summary>
    [Fact]
    public void A_description_is_name_and_text() => Assert.Equal("EPERM (Operation not permitted)", Errno.Describe(1));
}

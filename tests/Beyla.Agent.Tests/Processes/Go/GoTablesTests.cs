using Beyla.Agent.Processes.Inspections.Go;

namespace Beyla.Agent.Tests.Processes.Go;

public sealed class GoTablesTests
{
    [Theory]
    [InlineData("go1.19.8", 19)]
    [InlineData("go1.22", 22)]
    [InlineData("go1.23rc1", 23)]
    [InlineData("go1.21.3 X:boringcrypto", 21)]
    [InlineData("go1.20.12-custom", 20)]
    [InlineData("go1.24+auto", 24)]
    [InlineData("go1.25beta1", -1)]
    [InlineData("devel go1.25-0123abcd", -1)]
    [InlineData("go2.1", -1)]
    [InlineData("go1.", -1)]
    [InlineData("go1.9999", -1)]
    [InlineData("", -1)]
    public void A_version_says_its_minor_number(string version, int minor) => Assert.Equal(minor, GoVersion.Minor(version));

    /// <summary>
    /// By the order of the fields of struct g in Go's src/runtime/runtime2.go on a 64-bit machine; 1.19 and 1.26 as the DWARF of programs
    /// that they built has it.
    /// </summary>
    [Theory]
    [InlineData(17, 152u, 0u)]
    [InlineData(19, 152u, 0u)]
    [InlineData(20, 152u, 0u)]
    [InlineData(21, 152u, 272u)]
    [InlineData(22, 152u, 272u)]
    [InlineData(23, 160u, 280u)]
    [InlineData(24, 160u, 280u)]
    [InlineData(25, 152u, 272u)]
    [InlineData(26, 152u, 280u)]
    public void Each_version_has_its_offsets(int minor, uint goid, uint parent)
    {
        Assert.True(GoLayouts.TryFind(minor, out var offsets));
        Assert.Equal((goid, parent), (offsets.Goid, offsets.Parent));
    }

    [Theory]
    [InlineData(16)]
    [InlineData(27)]
    [InlineData(-1)]
    public void Others_are_not_known(int minor) => Assert.False(GoLayouts.TryFind(minor, out _));

    /// <summary>
    /// As Go's compiler writes the check of the stack (disassembled): small, larger and large frames, near and short jumps.
    /// </summary>
    [Theory]
    [InlineData("493b66100f86c30e0000", 4)]
    [InlineData("493b6610765048", 4)]
    [InlineData("4c8d6424804d3b66100f8600010000", 9)]
    [InlineData("4c8da424d0fdffff4d3b66100f86c30e0000", 12)]
    [InlineData("4c8da424d0fdffff4d3b6610762048", 12)]
    [InlineData("4c8da424d0fdffff493b66100f86c30e0000", -1)]
    [InlineData("4d3b66100f86c30e0000", -1)]
    [InlineData("493b66180f86c30e0000", -1)]
    [InlineData("493b66100f87c30e0000", -1)]
    [InlineData("4989e44981ec00100000", -1)]
    [InlineData("493b6610", -1)]
    [InlineData("4c8da424", -1)]
    [InlineData("", -1)]
    public void The_jump_of_the_stack_check_is_found(string code, int jump) =>
        Assert.Equal(jump, GoCode.JumpOfStackCheck(Convert.FromHexString(code)));
}

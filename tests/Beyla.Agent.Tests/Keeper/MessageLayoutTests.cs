using System.Runtime.InteropServices;
using Beyla.Agent.Flows;
using Beyla.Agent.Keeper;
using Beyla.Agent.Kernel;
using Beyla.Agent.Processes;

namespace Beyla.Agent.Tests.Keeper;

/// <summary>
/// What goes between the processes, byte by byte: no gap in which memory of the one reaches the other, and bounds that fit a message.
/// </summary>
public sealed class MessageLayoutTests
{
    [Theory]
    [InlineData(typeof(KeeperRequest), 32, "Operation 0, Pid 4, First 8, Second 16, Number 24, Length 28")]
    [InlineData(typeof(KeeperReply), 24, "Result 0, Length 4, Value 8, Descriptors 16, padding 20")]
    [InlineData(typeof(ApplicationFacts), 16, "Source 0, ProcessRing 4, SocketRing 8, Parts 12")]
    [InlineData(typeof(FlowFacts), 12, "KnowsProcesses 0, ProcessRefusal 4, OverflowRing 8")]
    [InlineData(
        typeof(CounterRow), 56, "Place 0, Unit 4, Produced 8, Emitted 16, Aggregated 24, Filtered 32, Lost 40, Held 48")]
    [InlineData(typeof(GoOffsets), 32, "Slot 0, Goid 4, Parent 8, Connection 12, Buffer 16, Newest 24")]
    public void Every_field_has_its_place(Type type, int size, string fields)
    {
        Assert.Equal(size, Marshal.SizeOf(type));
        var names = fields.Split(", ").Select(field => field.Split(' ')[0]);
        Assert.Equal(fields, string.Join(", ", names.Select(name => $"{name} {Marshal.OffsetOf(type, name)}")));
        // Nothing but what is said here.
        const System.Reflection.BindingFlags all =
            System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic;
        Assert.Equal(names.Order(), type.GetFields(all).Select(field => field.Name).Order());
    }

    /// <summary>Marshalling and memory agree, so that a struct may be written as it lies there.</summary>
    [Fact]
    public unsafe void What_is_sent_is_what_lies_in_memory() => Assert.Equal(
        (32, 24, 16, 12, 56, 32),
        (sizeof(KeeperRequest), sizeof(KeeperReply), sizeof(ApplicationFacts), sizeof(FlowFacts), sizeof(CounterRow), sizeof(GoOffsets)));

    [Fact]
    public void Operations_have_their_numbers()
    {
        string[] names =
        [
            "None", "Configuration", "Application", "OpenDesk", "Detach", "Counters", "Describe", "ReadLink", "OpenMaps", "Variables",
            "StartedWith", "NameExecutable", "OpenExecutable", "AttachGo", "DetachGo", "BeginGo", "LeadsTo", "ScanListeners",
            "IncludeGroup", "OpenFlows", "FlowStart", "FlowDetach", "FlowSwap", "FlowRead", "FlowOwners", "FlowWalk", "FlowCount",
            "FlowState", "NamedFile", "OpenStatistics", "WalkStatistics", "DetachStatistics", "ReadIo",
            "CountFiles",
        ];
        Assert.Equal(names, Enum.GetNames<KeeperOperation>());
        Assert.Equal(Enumerable.Range(0, 34), Enum.GetValues<KeeperOperation>().Select(value => (int)value));
        Assert.Equal([1u, 2u], Enum.GetValues<KeeperNotice>().Select(value => (uint)value));
        Assert.Equal([1, 2], Enum.GetValues<ProcessLink>().Select(value => (int)value));
        Assert.Equal([1, 2, 3], Enum.GetValues<CounterGroup>().Select(value => (int)value));
        Assert.Equal([0, 1, 2], Enum.GetValues<FlowBatch>().Select(value => (int)value));
        Assert.Equal([0u, 1u, 2u, 4u], Enum.GetValues<ApplicationParts>().Select(value => (uint)value));
    }

    [Fact]
    public void Bounds_are_those_of_Linux_and_of_what_is_read()
    {
        Assert.Equal(4096, KeeperRequest.MaximumText); // PATH_MAX, linux/limits.h
        Assert.Equal(65536, KeeperReply.MaximumText);
        Assert.InRange(2 * (16 * 1024 + 1), 1, KeeperReply.MaximumText); // two variables of the environment
        Assert.InRange(Marshal.SizeOf<FlowCounters>(), 1, KeeperReply.MaximumText);
    }
}

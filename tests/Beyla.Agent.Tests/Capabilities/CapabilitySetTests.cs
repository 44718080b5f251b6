using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Capabilities;

public class CapabilitySetTests
{
    [Fact]
    public void Names_come_in_ascending_order_of_the_kernels_numbers()
    {
        var set = CapabilitySet.Of(Capability.CheckpointRestore, Capability.Bpf, Capability.DacReadSearch);
        Assert.Equal("CAP_DAC_READ_SEARCH, CAP_BPF, CAP_CHECKPOINT_RESTORE", set.ToString());
        Assert.Equal("cap_dac_read_search,cap_bpf,cap_checkpoint_restore", set.ToSetcapText());
        Assert.Equal(3, set.Count);
        Assert.Equal("none", CapabilitySet.None.ToString());
        var walked = new List<Capability>();
        foreach (var capability in set)
        {
            walked.Add(capability);
        }

        Assert.Equal(set.Members(), walked);
    }

    [Fact]
    public void Names_are_those_of_the_kernels_header()
    {
        const string header = "/usr/include/linux/capability.h";
        Assert.Equal(41, CapabilityNames.Count);
        if (File.Exists(header))
        {
            var defined = File.ReadLines(header).Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words is ["#define", _, _]
                    && words[1].StartsWith("CAP_", StringComparison.Ordinal) && int.TryParse(words[2], out _))
                .ToDictionary(words => words[1], words => int.Parse(words[2], System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal(41, defined.Count);
            Assert.All(defined, pair => Assert.Equal(pair.Key, ((Capability)pair.Value).Name()));
        }

        Assert.Equal("CAP_63", ((Capability)63).Name());
    }

    [Theory]
    [InlineData("CAP_BPF", Capability.Bpf)]
    [InlineData(" net_raw ", Capability.NetRaw)]
    [InlineData("cap_Sys_Ptrace", Capability.SysPtrace)]
    public void Names_are_read_in_any_case(string text, Capability expected)
    {
        Assert.True(CapabilityNames.TryParse(text, out var capability));
        Assert.Equal(expected, capability);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("CAP_")]
    [InlineData("CAP_41")]
    public void Other_names_are_refused(string? text) => Assert.False(CapabilityNames.TryParse(text, out _));

    [Fact]
    public void Sets_of_a_status_file_are_read()
    {
        var sets = ProcessCapabilities.Parse(
            "Name:\tx\nCapInh:\t0000000000000001\nCapPrm:\t000000c000002000\nCapEff:\t0000000000002000\n"
                + "CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000002\nNoNewPrivs:\t0\n");
        Assert.Equal("CAP_NET_RAW", sets.Effective.ToString());
        Assert.Equal("CAP_NET_RAW, CAP_PERFMON, CAP_BPF", sets.Permitted.ToString());
        Assert.Equal("CAP_CHOWN", sets.Inheritable.ToString());
        Assert.Equal(41, sets.Bounding.Count);
        Assert.Equal("CAP_DAC_OVERRIDE", sets.Ambient.ToString());
        Assert.Equal(default, ProcessCapabilities.Parse("CapEff:\nCapPrm:\txyz\nCap\n"));
    }

    [Fact]
    public void The_kernels_answer_and_the_status_file_agree() =>
        Assert.Equal(ProcessCapabilities.Parse(File.ReadAllText("/proc/thread-self/status")), ProcessCapabilities.Current());
}

using System.Runtime.InteropServices;
using System.Text.Json;
using Beyla.Agent.Flows;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Flows;

/// <summary>The structures that the flow programs share with the agent, against the type information in the compiled programs.</summary>
public sealed class FlowLayoutTests
{
    [LiveTheory("bpftool")]
    [InlineData("flows", "flow_key", typeof(FlowKey))]
    [InlineData("flows", "flow_value", typeof(FlowValue))]
    [InlineData("flows", "flow_record", typeof(FlowRecord))]
    [InlineData("flows", "flow_counters", typeof(FlowCounters))]
    [InlineData("flows", "flow_settings", typeof(FlowSettings))]
    [InlineData("owners", "owner_key", typeof(SocketKey))]
    [InlineData("owners", "owner", typeof(SocketOwner))]
    public async Task A_structure_is_laid_out_as_in_C(string file, string name, Type type)
    {
        string json = await Tool.RunAsync(
            "bpftool", "-j", "btf", "dump", "file", Path.Combine(Repository.Root, "out", "bpf", $"{file}.bpf.o"));
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement structure = document.RootElement.GetProperty("types").EnumerateArray()
            .Single(element => element.GetProperty("kind").GetString() == "STRUCT" && element.GetProperty("name").GetString() == name);

        Assert.Equal(structure.GetProperty("size").GetInt32(), Marshal.SizeOf(type));
        // Padding may be one member there and several here.
        int[] there = [.. structure.GetProperty("members").EnumerateArray()
            .Where(member => member.GetProperty("name").GetString() is not ("zero" or "pad"))
            .Select(member => member.GetProperty("bits_offset").GetInt32() / 8)];
        int[] here = [.. type.GetFields().Where(field => !field.IsLiteral)
            .Select(field => (int)Marshal.OffsetOf(type, field.Name)).Order()];
        Assert.Equal(there, here);
    }
}

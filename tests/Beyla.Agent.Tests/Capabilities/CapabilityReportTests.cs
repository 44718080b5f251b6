using System.Text.Json;
using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Capabilities;

public class CapabilityReportTests
{
    private static readonly CapabilityReport Report =
        CapabilityCheck.Evaluate(
            new CapabilityRequest(Feature.Application),
            CapabilityCheckTests.Facts(CapabilitySet.Of(Capability.SysAdmin), new Version(6, 12))) with
        {
            Probes = [new CapabilityProbe { Operation = "load x", Answer = ProbeAnswer.No, Error = "EPERM" }],
        };

    [Fact]
    public void Json_survives_the_round_trip()
    {
        var json = CapabilityJson.Write(Report);
        Assert.DoesNotContain('\n', json);
        Assert.Equal(json, CapabilityJson.Write(CapabilityJson.Read(json)));
        using var document = JsonDocument.Parse(json);
        var root = document.RootElement;
        Assert.Equal("capability", root.GetProperty("type").GetString());
        Assert.Equal(1, root.GetProperty("version").GetInt32());
        var first = root.GetProperty("requirements")[0];
        Assert.Equal("CAP_DAC_READ_SEARCH", first.GetProperty("capability").GetString());
        Assert.Equal("Missing", first.GetProperty("state").GetString());
        var bpf = root.GetProperty("requirements").EnumerateArray().Single(r => r.GetProperty("capability").GetString() == "CAP_BPF");
        Assert.Equal("CAP_SYS_ADMIN", bpf.GetProperty("grantedBy").GetString());
    }

    [Fact]
    public void Unknown_capability_names_are_refused() =>
        Assert.Throws<JsonException>(
            () => CapabilityJson.Read(CapabilityJson.Write(Report).Replace("CAP_NET_RAW", "CAP_X", StringComparison.Ordinal)));

    [Fact]
    public void Text_names_state_reason_and_fix_and_obeys_no_escapes()
    {
        using var writer = new StringWriter();
        CapabilityReportText.Write(Report with { Agent = "/x\u001b[31m" }, writer);
        var text = writer.ToString();
        Assert.DoesNotContain('\u001b', text);
        Assert.Contains("/x?[31m", text, StringComparison.Ordinal);
        Assert.Contains("granted by CAP_SYS_ADMIN", text, StringComparison.Ordinal);
        Assert.Contains("Missing and needed: CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE.", text, StringComparison.Ordinal);
        Assert.Contains("no      load x EPERM", text, StringComparison.Ordinal);
    }
}

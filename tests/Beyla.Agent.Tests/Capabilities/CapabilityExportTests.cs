using Beyla.Agent.Capabilities;

namespace Beyla.Agent.Tests.Capabilities;

public class CapabilityExportTests
{
    private static readonly DeploymentSettings Settings = new(
        [("BEYLA_OPEN_PORT", "80-90,443"), ("BEYLA_X", "it's 5% of $HOME \"\\\"")], ["discovery.services"]);
    private static readonly CapabilityRequest Network = new(Feature.NetworkSocketFilter);

    [Fact]
    public void The_unit_has_exactly_the_set()
    {
        var lines = Write("systemd", new CapabilityRequest(Feature.Application)).Split('\n');
        const string names = "CAP_DAC_READ_SEARCH CAP_NET_RAW CAP_SYS_PTRACE CAP_PERFMON CAP_BPF CAP_CHECKPOINT_RESTORE";
        Assert.Contains($"AmbientCapabilities={names}", lines);
        Assert.Contains($"CapabilityBoundingSet={names}", lines);
        Assert.Contains("NoNewPrivileges=yes", lines);
        Assert.Contains("ExecStart=\"/opt/a b/beyla\"", lines);
    }

    [Fact]
    public void Settings_are_carried_whole_by_each_format()
    {
        Assert.Contains("\nEnvironment=\"BEYLA_OPEN_PORT=80-90,443\"\nEnvironment=\"BEYLA_X=it's 5%% of $HOME \\\"\\\\\\\"\"\n",
            Write("systemd", Network), StringComparison.Ordinal);
        Assert.Contains("\n  BEYLA_OPEN_PORT: '80-90,443'\n  BEYLA_X: 'it''s 5% of $HOME \"\\\"'\n---\n",
            Write("kubernetes", Network), StringComparison.Ordinal);
        Assert.Contains("--env BEYLA_OPEN_PORT=80-90,443 \\\n  --env 'BEYLA_X=it'\\''s 5% of $HOME \"\\\"' \\\n",
            Write("docker", Network), StringComparison.Ordinal);
        Assert.All(CapabilityExport.Formats, format =>
            Assert.StartsWith("# Capabilities for: network (socket_filter). Made by beyla capability export. To be set in a file named by "
                + "BEYLA_CONFIG_PATH: discovery.services.\n",
                Write(format, Network), StringComparison.Ordinal));
    }

    [Fact]
    public void Packet_sockets_are_allowed_only_where_they_are_used()
    {
        Assert.Contains("AF_PACKET", Write("systemd", Network), StringComparison.Ordinal);
        Assert.DoesNotContain(
            "AF_PACKET", Write("systemd", new CapabilityRequest(Feature.NetworkTrafficControl)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_pod_drops_all_and_adds_exactly_the_set()
    {
        var text = Write("kubernetes", Network);
        Assert.EndsWith("drop:\n                - ALL\n              add:\n                - NET_RAW\n                - BPF\n",
            text, StringComparison.Ordinal);
        Assert.Contains("hostNetwork: true", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hostNetwork", Write("kubernetes", new CapabilityRequest(Feature.Application)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_container_drops_all_and_adds_exactly_the_set()
    {
        var text = Write("docker", Network);
        Assert.Contains("--cap-drop ALL --cap-add NET_RAW --cap-add BPF \\", text, StringComparison.Ordinal);
        Assert.Contains("--network host", text, StringComparison.Ordinal);
        Assert.EndsWith("'registry/a b:1'\n", text, StringComparison.Ordinal);
    }

    /// <summary>
    /// A container has no CAP_SETUID, so the worker stays user 0 there: what it must not write, and what it becomes, is up to the runtime.
    /// </summary>
    [Theory]
    [InlineData("kubernetes",
        "\n          securityContext:\n            runAsUser: 0\n            readOnlyRootFilesystem: true\n"
            + "            allowPrivilegeEscalation: false\n")]
    [InlineData("docker", " --user 0:0 --read-only --security-opt no-new-privileges ")]
    public void A_container_is_read_only_and_gains_nothing_by_an_exec(string format, string expected)
    {
        var text = Write(format, Network);
        Assert.Contains(expected, text, StringComparison.Ordinal);
        Assert.DoesNotContain("SETUID", text, StringComparison.Ordinal);
        Assert.DoesNotContain("SETGID", text, StringComparison.Ordinal);
    }

    private static string Write(string format, CapabilityRequest request) =>
        CapabilityExport.Write(
            format, request, CapabilityCheck.Documented(request, new Version(6, 12)), Settings, "/opt/a b/beyla", "registry/a b:1");
}

using System.Net;
using System.Net.Sockets;
using Beyla.Live.Tests.Rig;
using Beyla.Live.Tests.Statistics;

namespace Beyla.Live.Tests.Capabilities;

/// <summary>TCP statistics of an ordinary user: exactly two capabilities, and without one of them exactly the predicted failure.</summary>
public sealed class StatisticTests
{
    private const string Needed = "cap_bpf,cap_perfmon";

    [LiveFact("setcap", "setpriv")]
    public async Task The_needed_set_is_enough()
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(Needed);
        await using AgentProcess agent = await AgentProcess.StartAsync(user.Run(StatisticLine.Agent));
        IPEndPoint self = new(IPAddress.Loopback, FreePort.Next());
        using (Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            socket.Bind(self);
            socket.Connect(self);
            TcpPair.Move(socket, socket, 100);
            await StatisticLine.UntilAsync(agent, () => StatisticLine.Of(agent, self, self).Length > 0);
            await Held.AssertNothingIsEffective(agent.Pid);
        }

        await StatisticLine.UntilClosedAsync(agent, self, self);
        await agent.StopAsync();
        Assert.Equal(100, StatisticLine.Of(agent, self, self).Sum(line => line.Sent));
        Assert.DoesNotContain("level=WARN msg=\"Required", agent.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("is missing", agent.Errors, StringComparison.Ordinal);
    }

    [LiveTheory("setcap", "setpriv")]
    [InlineData("cap_bpf")]
    [InlineData("cap_perfmon")]
    public async Task Without_a_needed_one_the_predicted_call_fails(string removed)
    {
        using OrdinaryUser user = await OrdinaryUser.CreateAsync(ScenarioCase.Without(Needed, removed));
        await using AgentProcess agent = AgentProcess.Launch(user.Run(StatisticLine.Agent));
        int status = await agent.WaitForExitAsync(Wait.Hang);
        Assert.True(status == 1, $"exit code {status}:\n{agent.Errors}");
        Assert.Contains($"{removed.ToUpperInvariant()} is missing", agent.Errors, StringComparison.Ordinal);
        Assert.Contains("load eBPF object statistics: EPERM", agent.Errors, StringComparison.Ordinal);
    }
}

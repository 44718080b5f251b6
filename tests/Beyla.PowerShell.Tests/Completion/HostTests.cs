using System.Net;
using System.Net.Sockets;
using Beyla.PowerShell.Completion;

namespace Beyla.PowerShell.Tests.Completion;

/// <summary>What completion reads of the host.</summary>
public sealed class HostTests
{
    private const string Table = """
          sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
           0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
           1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
           2: garbage
           3: 0100007F:ZZZZ 00000000:0000 0A 0:0 0:0 0 0 0 4713
        """;

    [Fact]
    public void Only_sockets_that_listen_count() => Assert.Equal([new ListeningPort(8080, 4711)], ListeningPorts.Parse(Table));

    [Fact]
    public void A_listener_of_this_process_is_found_with_its_owner()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var found = Assert.Single(ListeningPorts.Read("/proc"), p => p.Port == port);

        Assert.Contains(found.Inode, ProcessList.Sockets(Environment.ProcessId));
        var own = Assert.Single(ProcessList.Read(), p => p.Id == Environment.ProcessId);
        Assert.Equal(Environment.ProcessPath, own.Executable);
        Assert.NotEmpty(own.Name);
    }

    [Fact]
    public void A_host_without_proc_gives_nothing()
    {
        Assert.Empty(ListeningPorts.Read("/nonexistent"));
        Assert.Empty(ProcessList.Read("/nonexistent"));
        Assert.Empty(ProcessList.Sockets(1, "/nonexistent"));
    }
}

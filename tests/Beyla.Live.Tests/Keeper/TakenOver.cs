using System.Globalization;
using System.Runtime.InteropServices;
using Beyla.Agent.Keeper;
using Beyla.Agent.Linux;
using Beyla.Live.Tests.Rig;

namespace Beyla.Live.Tests.Keeper;

/// <summary>
/// A real agent whose worker stands still while the test plays it: by its own socket to the keeper (pidfd_getfd(2)), as somebody would who
/// has taken the worker over.
/// </summary>
internal sealed partial class TakenOver : IAsyncDisposable
{
    // split.c: the channel of the worker.
    private const int Channel = 3;

    private readonly byte[] answer = new byte[128 * 1024];
    private readonly int[] descriptors = new int[MessageSocket.MaximumDescriptors];

    private TakenOver(AgentProcess agent, MessageSocket socket)
    {
        Agent = agent;
        Socket = socket;
        Connection = new KeeperConnection(socket);
    }

    public AgentProcess Agent { get; }

    /// <summary>To ask with bytes of any kind; used by <see cref="Connection"/> too.</summary>
    public MessageSocket Socket { get; }

    public KeeperConnection Connection { get; }

    public static async Task<TakenOver> StartAsync(AgentSettings settings)
    {
        AgentProcess agent = await AgentProcess.StartAsync(settings);
        int worker = agent.WorkerPid;
        // What it asked while it started is answered by now.
        await Task.Delay(300);
        await Tool.RunAsync("kill", "-STOP", worker.ToString(CultureInfo.InvariantCulture));
        nint process = Syscall(434, worker, 0, 0); // pidfd_open
        Assert.True(process >= 0);
        nint socket = Syscall(438, process, Channel, 0); // pidfd_getfd
        Assert.True(socket >= 0);
        Assert.True(Descriptor.Close((int)process));
        TakenOver taken = new(agent, new MessageSocket((int)socket));
        await taken.DrainAsync(taken.Socket);
        return taken;
    }

    /// <summary>Takes the answers to what the worker asked before it stood still.</summary>
    public async Task DrainAsync(MessageSocket socket)
    {
        await Task.Delay(200);
        PollDescriptor poll = new() { Descriptor = socket.FileDescriptor, Events = Poll.In };
        while (Poll.Wait(ref poll, 0) > 0)
        {
            Assert.True(socket.Receive(this.answer, this.descriptors, out int count) > 0);
            foreach (int file in this.descriptors.AsSpan(0, count))
            {
                Assert.True(Descriptor.Close(file));
            }
        }
    }

    /// <summary>Asks something.</summary>
    /// <param name="question">Any bytes.</param>
    /// <param name="socket">Where.</param>
    /// <returns>The answer, its text, and the descriptors that came, which are the caller's.</returns>
    public (KeeperReply Reply, byte[] Text, int[] Descriptors) Ask(ReadOnlySpan<byte> question, MessageSocket? socket = null)
    {
        socket ??= Socket;
        Assert.Equal(0, socket.Send(question, [], []));
        int length = socket.Receive(this.answer, this.descriptors, out int count);
        Assert.True(length >= Marshal.SizeOf<KeeperReply>(), $"the keeper closed the desk after {Convert.ToHexString(question)}");
        KeeperReply reply = MemoryMarshal.Read<KeeperReply>(this.answer);
        Assert.Equal((length, count), (Marshal.SizeOf<KeeperReply>() + (int)reply.Length, reply.Descriptors));
        return (reply, this.answer[Marshal.SizeOf<KeeperReply>()..length], this.descriptors[..count]);
    }

    /// <inheritdoc cref="Ask(ReadOnlySpan{byte}, MessageSocket?)"/>
    public (KeeperReply Reply, byte[] Text, int[] Descriptors) Ask(KeeperRequest request, ReadOnlySpan<byte> text = default)
    {
        request.Length = (uint)text.Length;
        return Ask([.. MemoryMarshal.AsBytes(new ReadOnlySpan<KeeperRequest>(in request)), .. text]);
    }

    /// <summary>The error number of a question that is refused; 0 where it is not. Descriptors are closed.</summary>
    public int Refusal(KeeperRequest request, string text = "")
    {
        (KeeperReply reply, _, int[] given) = Ask(request, System.Text.Encoding.UTF8.GetBytes(text));
        foreach (int file in given)
        {
            Assert.True(Descriptor.Close(file));
        }

        return Math.Max(0, -reply.Result);
    }

    /// <summary>The keeper is there, answers, and ends with its worker, leaving nothing.</summary>
    public async Task EndAsync()
    {
        Assert.Contains("permitted=", Connection.Describe(), StringComparison.Ordinal);
        BpfFootprint held = BpfFootprint.Of(Agent.Pid);
        int worker = Agent.WorkerPid;
        Connection.Dispose();
        await Tool.RunAsync("kill", "-KILL", worker.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(1, await Agent.WaitForExitAsync(Wait.Hang));
        Assert.Contains("signal=9", Agent.Errors, StringComparison.Ordinal);
        Assert.True((await held.LeftAsync()).IsEmpty);
    }

    public ValueTask DisposeAsync()
    {
        Connection.Dispose();
        return Agent.DisposeAsync();
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint Syscall(nint number, nint first, nint second, nint third);
}

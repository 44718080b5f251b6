using System.Runtime.InteropServices;
using Beyla.Agent.Kernel;
using Beyla.Agent.Statistics;

namespace Beyla.Agent.Tests.Structs;

/// <summary>Each struct that C# and the eBPF programs share has one layout: the compiler's, as the object's BTF has it.</summary>
public unsafe class SharedStructTests
{
    [Fact]
    public void Socket_events()
    {
        SocketEvent e;
        Check("sockets", "socket_event", sizeof(SocketEvent), &e, new()
        {
            ["time"] = &e.Time, ["connection"] = &e.Connection, ["pid"] = &e.Pid, ["tid"] = &e.Tid, ["sequence"] = &e.Sequence,
            ["length"] = &e.Length, ["opposite"] = &e.Opposite, ["netns"] = &e.NetworkNamespace,
            ["captured"] = &e.Captured, ["kind"] = &e.Kind, ["direction"] = &e.Direction, ["local_port"] = &e.LocalPort,
            ["remote_port"] = &e.RemotePort, ["local"] = &e.Local, ["remote"] = &e.Remote, ["protocol"] = &e.Protocol,
            ["flags"] = &e.Flags, ["pieces"] = &e.Pieces, ["reserved"] = &e.Reserved, ["unwalked"] = &e.Unwalked,
            ["passed_time"] = &e.PassedTime, ["passed"] = &e.Passed, ["passed_until"] = &e.PassedUntil,
            ["goroutine"] = &e.Goroutine, ["parent_goroutine"] = &e.ParentGoroutine,
        });
    }

    [Theory]
    [InlineData("go")]
    [InlineData("go_write")]
    [InlineData("sockets")]
    public void Offsets_of_Go(string program)
    {
        GoOffsets o;
        Check(program, "go_offsets", sizeof(GoOffsets), &o, new()
        {
            ["slot"] = &o.Slot, ["goid"] = &o.Goid, ["parent"] = &o.Parent, ["connection"] = &o.Connection,
            ["buffer"] = &o.Buffer, ["newest"] = &o.Newest,
        });
    }

    [Theory]
    [InlineData("sockets")]
    [InlineData("propagation")]
    [InlineData("go_write")]
    public void Contexts(string program)
    {
        SocketContext c;
        Check(program, "context", sizeof(SocketContext), &c, new()
        {
            ["trace"] = &c.TraceHigh, ["span"] = &c.Span, ["parent"] = &c.Parent, ["flags"] = &c.Flags, ["source"] = &c.Source,
            ["inserted"] = &c.Inserted, ["reserved"] = &c.Reserved,
        });
    }

    [Fact]
    public void Passed_bytes()
    {
        PassedMap.Passed p;
        Check("sockets", "passed", sizeof(PassedMap.Passed), &p, new()
        {
            ["connection"] = &p.Connection, ["time"] = &p.Time, ["from"] = &p.From, ["until"] = &p.Until,
        });
    }

    [Fact]
    public void Process_events()
    {
        ProcessEvent e;
        Check("watcher", "process_event", sizeof(ProcessEvent), &e, new()
        {
            ["time"] = &e.Time, ["pid"] = &e.Pid, ["parent"] = &e.Parent, ["netns"] = &e.NetworkNamespace,
            ["port"] = &e.Port, ["kind"] = &e.Kind, ["selected"] = &e.Selected, ["command"] = &e.Command, ["name"] = &e.Name,
        });
    }

    [Fact]
    public void Tcp_statistics()
    {
        TcpStatistic s;
        Check("statistics", "tcp_statistic", sizeof(TcpStatistic), &s, new()
        {
            ["local"] = &s.Local, ["remote"] = &s.Remote, ["sent"] = &s.Sent, ["received"] = &s.Received,
            ["retransmits"] = &s.Retransmits, ["round_trip"] = &s.RoundTrip, ["local_port"] = &s.LocalPort,
            ["remote_port"] = &s.RemotePort, ["error"] = &s.Error, ["kind"] = &s.Kind, ["role"] = &s.Role,
        });
    }

    [Fact]
    public void Watcher_settings()
    {
        Watcher.Settings s;
        Check("watcher", "watcher_settings", sizeof(Watcher.Settings), &s, new()
        {
            ["every_exec"] = &s.EveryExec, ["judge_listeners"] = &s.JudgeListeners, ["mentioned"] = s.Mentioned,
        });
    }

    [Fact]
    public void Service_variables()
    {
        StartedNames.Variables v;
        Check("names", "service_variables", sizeof(StartedNames.Variables), &v, new()
        {
            ["name_state"] = &v.NameState, ["attributes_state"] = &v.AttributesState, ["name"] = v.Name, ["attributes"] = v.Attributes,
        });
    }

    [Theory]
    [InlineData("watcher")]
    [InlineData("sockets")]
    [InlineData("go")]
    public void Selection(string program)
    {
        // Too large for an array or the stack.
        var s = (SelectionMap.Layout*)NativeMemory.AllocZeroed((nuint)sizeof(SelectionMap.Layout));
        Check(program, "selection", sizeof(SelectionMap.Layout), s, new()
        {
            ["pids"] = s->Pids, ["excluded"] = s->Excluded, ["go"] = s->Go, ["ports"] = s->Ports, ["renewed"] = s->Renewed,
            ["asleep"] = &s->Asleep, ["capture"] = &s->CaptureOn,
            ["by_port"] = &s->ByPort, ["lost"] = &s->Lost,
        });
        NativeMemory.Free(s);
    }

    [Theory]
    [InlineData("watcher")]
    [InlineData("sockets")]
    [InlineData("statistics")]
    public void Ring_counters(string program)
    {
        RingCounters c;
        Check(program, "ring_counters", sizeof(RingCounters), &c, new()
        {
            ["produced"] = &c.Produced, ["emitted"] = &c.Emitted, ["lost"] = &c.Lost, ["untracked"] = &c.Untracked,
        });
    }

    /// <summary>The part of the kernel's interface that is read by number, where the kernel can be asked.</summary>
    [Fact]
    public void Program_info()
    {
        if (!File.Exists("/sys/kernel/btf/vmlinux"))
        {
            return;
        }

        BpfProgram.Info info;
        var (size, offsets) = TypeInformation.OfKernel().Struct("bpf_prog_info");
        Assert.Equal(offsets["recursion_misses"], (int)((byte*)&info.RecursionMisses - (byte*)&info));
        Assert.True(sizeof(BpfProgram.Info) <= size);
    }

    private static void Check(string program, string name, int size, void* start, Fields fields)
    {
        var (expected, offsets) = TypeInformation.OfObject(program).Struct(name);
        Assert.Equal(expected, size);
        Assert.Equal(offsets.OrderBy(field => field.Value), fields.Offsets(start).OrderBy(field => field.Value));
    }

    /// <summary>Fields by the name that they have in C, each with its address.</summary>
    private sealed class Fields
    {
        private readonly List<(string Name, nint Address)> fields = [];

        public void* this[string name]
        {
            set => fields.Add((name, (nint)value));
        }

        public Dictionary<string, int> Offsets(void* start) =>
            fields.ToDictionary(field => field.Name, field => (int)(field.Address - (nint)start));
    }
}

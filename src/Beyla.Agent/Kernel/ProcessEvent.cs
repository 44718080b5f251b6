using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Kernel;

/// <summary>Kinds of <see cref="ProcessEvent"/> (bpf/watcher.h, enum process_event_kind).</summary>
public enum ProcessEventKind : byte
{
    /// <summary>A selected process has a new child, which the kernel side has selected as well.</summary>
    Fork = 1,

    /// <summary>A process runs another program.</summary>
    Exec = 2,

    /// <summary>The last thread of a selected process is gone.</summary>
    Exit = 3,

    /// <summary>A socket of the process began to listen.</summary>
    Listen = 4,

    /// <summary>Found by the iterator: the process holds a listening socket.</summary>
    Listening = 5,
}

/// <summary>What the kernel side does with the process of an event (bpf/watcher.h, enum process_selection).</summary>
public enum ProcessSelection : byte
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>It traces the process, and has before this event.</summary>
    Selected = 1,

    /// <summary>It traces the process from this event on, until it is told whether to.</summary>
    Tentative = 2,
}

/// <summary>An event of the watcher programs (bpf/watcher.h, struct process_event).</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ProcessEvent
{
    /// <summary>CLOCK_MONOTONIC in nanoseconds.</summary>
    public ulong Time;

    /// <summary>Thread group id in the initial pid namespace.</summary>
    public uint Pid;

    /// <summary>Fork: the parent; else 0.</summary>
    public uint Parent;

    /// <summary>Listen, Listening: inode of the socket's network namespace.</summary>
    public uint NetworkNamespace;

    /// <summary>Listen, Listening: the port, host byte order.</summary>
    public ushort Port;

    /// <summary>What happened.</summary>
    public ProcessEventKind Kind;

    /// <summary>Whether the kernel side traces the process.</summary>
    public ProcessSelection Selected;

    /// <summary>Task name (comm), zero padded.</summary>
    public CommandName Command;

    /// <summary>Exec: path as given to execve, zero terminated, cut at 255 bytes.</summary>
    public PathName Name;

    /// <summary>256 bytes, zero terminated.</summary>
    [InlineArray(256)]
    public struct PathName
    {
        private byte first;
    }
}

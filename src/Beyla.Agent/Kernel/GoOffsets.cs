using System.Runtime.InteropServices;

namespace Beyla.Agent.Kernel;

/// <summary>
/// Where a Go program keeps what the kernel side looks at, in bytes (bpf/go.h, struct go_offsets). They belong to the version of Go that
/// built it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct GoOffsets
{
    /// <summary>From the thread pointer (fs) to the pointer to the struct g that runs on the thread.</summary>
    public int Slot;

    /// <summary>In the struct g: its number.</summary>
    public uint Goid;

    /// <summary>In the struct g: the number of the one that started it; 0 where the version does not keep it.</summary>
    public uint Parent;

    /// <summary>In a net/http.persistConn: the interface value of its net.Conn; 0 where it is not looked at.</summary>
    public uint Connection;

    /// <summary>In a bufio.Writer: its buf, behind which n and wr follow; 0 where nothing is written there.</summary>
    public uint Buffer;

    /// <summary>The highest number of a goroutine that was seen; kept by the kernel side where contexts are passed on.</summary>
    public ulong Newest;
}

using System.Runtime.InteropServices;
using System.Text;
using Beyla.Agent.Linux;
using Microsoft.Win32.SafeHandles;

namespace Beyla.Agent.Kernel;

/// <summary>
/// One eBPF object file that is embedded in this assembly (resource <c>bpf/NAME</c>), opened, then loaded. Owns its maps and programs.
/// </summary>
public sealed unsafe class BpfObject : SafeHandleZeroOrMinusOneIsInvalid
{
    private readonly string name;

    private BpfObject(string name, nint handle)
        : base(ownsHandle: true)
    {
        this.name = name;
        SetHandle(handle);
    }

    /// <summary>Opens an embedded object without asking the kernel for anything.</summary>
    /// <param name="name">The file's stem: <c>sockets</c> for bpf/sockets.bpf.c.</param>
    public static BpfObject Open(string name)
    {
        using var resource = typeof(BpfObject).Assembly.GetManifestResourceStream($"bpf/{name}.bpf")
            ?? throw new ArgumentException($"no embedded eBPF object '{name}'", nameof(name));
        var image = new byte[resource.Length];
        resource.ReadExactly(image);
        LibbpfLog.Begin();
        fixed (byte* bytes = image)
        fixed (byte* label = Encoding.UTF8.GetBytes(name + "\0"))
        {
            var options = new Libbpf.ObjectOpenOptions { Size = (nuint)sizeof(Libbpf.ObjectOpenOptions), ObjectName = label };
            var handle = Libbpf.bpf_object__open_mem(bytes, (nuint)image.Length, &options);
            return handle == 0
                ? throw Failure($"open eBPF object {name}", Marshal.GetLastPInvokeError())
                : new BpfObject(name, handle);
        }
    }

    /// <summary>Selects what <see cref="Load"/> loads: exactly these programs, by function name.</summary>
    public BpfObject Select(params ReadOnlySpan<string> programs)
    {
        for (nint program = 0; (program = Libbpf.bpf_object__next_program(handle, program)) != 0;)
        {
            var function = Marshal.PtrToStringUTF8((nint)Libbpf.bpf_program__name(program)) ?? "";
            _ = Libbpf.bpf_program__set_autoload(program, programs.Contains(function));
        }

        return this;
    }

    /// <summary>Every program of the object: function name and section (<c>tp_btf/sys_exit</c>, <c>socket</c>).</summary>
    public IReadOnlyList<(string Function, string Section)> Programs()
    {
        var programs = new List<(string, string)>();
        for (nint program = 0; (program = Libbpf.bpf_object__next_program(handle, program)) != 0;)
        {
            var function = Marshal.PtrToStringUTF8((nint)Libbpf.bpf_program__name(program)) ?? "";
            programs.Add((function, (Marshal.PtrToStringUTF8((nint)Libbpf.bpf_program__section_name(program)) ?? "").TrimStart('?')));
        }

        return programs;
    }

    /// <summary>Creates the maps and loads the selected programs; the verifier runs here.</summary>
    /// <exception cref="KernelException">The kernel refused; <see cref="KernelException.Evidence"/> has the verifier's
    /// objection, or only the program's name for a refusal by policy or capability.</exception>
    public BpfObject Load()
    {
        LibbpfLog.Begin();
        var result = Libbpf.bpf_object__load(handle);
        if (result < 0)
        {
            throw Failure($"load eBPF object {name}", -result);
        }

        GiveBackVariables();
        return this;
    }

    /// <summary>The map with that name in the source.</summary>
    public BpfMap Map(string mapName)
    {
        var map = Libbpf.bpf_object__find_map_by_name(handle, mapName);
        return map == 0
            ? throw new ArgumentException($"no map '{mapName}' in eBPF object {name}", nameof(mapName))
            : new BpfMap(this, map, mapName);
    }

    /// <summary>The program with that function name.</summary>
    public BpfProgram Program(string function)
    {
        var program = Libbpf.bpf_object__find_program_by_name(handle, function);
        return program == 0
            ? throw new ArgumentException($"no program '{function}' in eBPF object {name}", nameof(function))
            : new BpfProgram(this, program, function);
    }

    /// <summary>Writes the object's <c>const volatile</c> settings; before <see cref="Load"/>.</summary>
    public void SetConstants<T>(in T value)
        where T : unmanaged =>
        // libbpf names the section after the first eight characters of the object.
        SetConstants($"{(name.Length > 8 ? name[..8] : name)}.rodata", in value);

    /// <summary>The same for constants in a section of their own, so that where they lie does not depend on others.</summary>
    /// <param name="section">Its name: <c>.rodata.settings</c>.</param>
    /// <param name="value">What the section begins with.</param>
    public void SetConstants<T>(string section, in T value)
        where T : unmanaged
    {
        var map = Map(section);
        nuint size;
        var memory = Libbpf.bpf_map__initial_value(map.Pointer, &size);
        if (memory == null || size < (nuint)sizeof(T))
        {
            throw new InvalidOperationException($"constants of eBPF object {name}: {sizeof(T)} bytes given, {size} there");
        }

        *(T*)memory = value;
    }

    /// <summary>
    /// The kernel has its own copy of the programs' variables now. libbpf's, which it had to read to the end, would stay resident:
    /// megabytes of zeros.
    /// </summary>
    private void GiveBackVariables()
    {
        for (nint map = 0; (map = Libbpf.bpf_object__next_map(handle, map)) != 0;)
        {
            nuint size;
            var memory = Libbpf.bpf_map__initial_value(map, &size);
            if (memory != null)
            {
                SharedMemory.Clear(memory, size);
            }
        }
    }

    /// <summary>The error for a step that libbpf refused, with what it said since <see cref="LibbpfLog.Begin"/>.</summary>
    internal static KernelException Failure(string operation, int errno)
    {
        var log = LibbpfLog.End();
        return new KernelException(operation, errno, LibbpfLog.LastMeaningfulLine(log), log);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Libbpf.bpf_object__close(handle);
        return true;
    }
}

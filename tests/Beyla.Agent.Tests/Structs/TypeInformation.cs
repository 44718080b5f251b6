using System.Buffers.Binary;
using System.Text;

namespace Beyla.Agent.Tests.Structs;

/// <summary>
/// The structs in the BTF of an embedded eBPF object, as the compiler laid them out (Documentation/bpf/btf.rst): the first type section of
/// a 64-bit little-endian ELF file. Only what the tests ask for.
/// </summary>
internal sealed class TypeInformation
{
    private const int KindInt = 1, KindArray = 3, KindStruct = 4, KindUnion = 5, KindEnum = 6, KindFunctionPrototype = 13,
        KindVariable = 14, KindSection = 15, KindDeclarationTag = 17, KindEnum64 = 19;

    private readonly Dictionary<string, (int Size, Dictionary<string, int> Offsets)> structs = [];

    private TypeInformation(ReadOnlySpan<byte> btf)
    {
        var header = (int)Read32(btf, 4);
        var types = btf.Slice(header + (int)Read32(btf, 8), (int)Read32(btf, 12));
        var names = btf.Slice(header + (int)Read32(btf, 16), (int)Read32(btf, 20));
        while (types.Length > 0)
        {
            var info = Read32(types, 4);
            var (count, kind) = ((int)(info & 0xffff), (int)(info >> 24 & 0x1f));
            var bitfields = info >> 31 != 0;
            if (kind == KindStruct)
            {
                var members = new Dictionary<string, int>();
                for (var i = 0; i < count; i++)
                {
                    var member = types[(12 + (i * 12))..];
                    var offset = Read32(member, 8);
                    members[Name(names, Read32(member, 0))] = (int)((bitfields ? offset & 0xffffff : offset) / 8);
                }

                structs.TryAdd(Name(names, Read32(types, 0)), ((int)Read32(types, 8), members));
            }

            types = types[(12 + Extra(kind, count))..];
        }
    }

    /// <summary>Size and offsets of a struct, in bytes.</summary>
    public (int Size, IReadOnlyDictionary<string, int> Offsets) Struct(string name) => structs[name];

    /// <summary>Reads the running kernel's own types.</summary>
    public static TypeInformation OfKernel() => new(File.ReadAllBytes("/sys/kernel/btf/vmlinux"));

    /// <summary>Reads the object that is embedded in the agent.</summary>
    /// <param name="name">Its stem, such as <c>sockets</c>.</param>
    public static TypeInformation OfObject(string name)
    {
        using var resource = typeof(Beyla.Agent.Kernel.BpfObject).Assembly.GetManifestResourceStream($"bpf/{name}.bpf")!;
        var elf = new byte[resource.Length];
        resource.ReadExactly(elf);
        var sections = (int)BinaryPrimitives.ReadUInt64LittleEndian(elf.AsSpan(0x28));
        var (size, count, namesIndex) = (Read16(elf, 0x3a), Read16(elf, 0x3c), Read16(elf, 0x3e));
        var names = Section(elf, sections + (namesIndex * size));
        for (var i = 0; i < count; i++)
        {
            var at = sections + (i * size);
            if (Name(names, Read32(elf, at)) == ".BTF")
            {
                return new TypeInformation(Section(elf, at));
            }
        }

        throw new InvalidDataException($"no BTF in {name}");
    }

    private static int Extra(int kind, int count) => kind switch
    {
        KindInt or KindVariable or KindDeclarationTag => 4,
        KindArray => 12,
        KindStruct or KindUnion or KindSection or KindEnum64 => count * 12,
        KindEnum or KindFunctionPrototype => count * 8,
        _ => 0,
    };

    private static ReadOnlySpan<byte> Section(byte[] elf, int at) => elf.AsSpan(
        (int)BinaryPrimitives.ReadUInt64LittleEndian(elf.AsSpan(at + 0x18)),
        (int)BinaryPrimitives.ReadUInt64LittleEndian(elf.AsSpan(at + 0x20)));

    private static string Name(ReadOnlySpan<byte> names, uint offset)
    {
        var rest = names[(int)offset..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }

    private static uint Read32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ushort Read16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
}

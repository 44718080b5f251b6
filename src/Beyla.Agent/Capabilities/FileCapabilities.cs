using System.Buffers.Binary;

namespace Beyla.Agent.Capabilities;

/// <summary>The capabilities that an executable file carries: the extended attribute <c>security.capability</c>.</summary>
/// <param name="Permitted">Becomes permitted at exec, within the bounding set.</param>
/// <param name="Inheritable">Becomes permitted at exec as far as the caller's inheritable set has it.</param>
/// <param name="Effective">Whether all of it is effective at once. An exec that cannot give all of it then fails with EPERM.</param>
/// <param name="RootUser">For which user namespace: the user that is its root; 0 for the initial one.</param>
public sealed record FileCapabilities(CapabilitySet Permitted, CapabilitySet Inheritable, bool Effective, uint RootUser = 0)
{
    // struct vfs_cap_data and vfs_ns_cap_data, little endian (include/uapi/linux/capability.h).
    private const uint RevisionMask = 0xff000000, Revision1 = 0x01000000, Revision2 = 0x02000000, Revision3 = 0x03000000, EffectiveFlag = 1;
    private const int Size1 = 12, Size2 = 20, Size3 = 24;

    /// <summary>Reads the attribute's bytes; null when they are none of the kernel's three revisions.</summary>
    public static FileCapabilities? Decode(ReadOnlySpan<byte> attribute)
    {
        if (attribute.Length < Size1)
        {
            return null;
        }

        var magic = Word(attribute, 0);
        return (magic & RevisionMask, attribute.Length) switch
        {
            (Revision1, Size1) => new(new(Word(attribute, 1)), new(Word(attribute, 2)), (magic & EffectiveFlag) != 0),
            (Revision2, Size2) => Read(attribute, magic, 0),
            (Revision3, Size3) => Read(attribute, magic, Word(attribute, 5)),
            _ => null,
        };
    }

    /// <summary>Makes the attribute's bytes: revision 2 for the initial user namespace, else revision 3.</summary>
    public byte[] Encode()
    {
        var attribute = new byte[RootUser == 0 ? Size2 : Size3];
        var words = attribute.AsSpan();
        Put(words, 0, (RootUser == 0 ? Revision2 : Revision3) | (Effective ? EffectiveFlag : 0));
        Put(words, 1, (uint)Permitted.Bits);
        Put(words, 2, (uint)Inheritable.Bits);
        Put(words, 3, (uint)(Permitted.Bits >> 32));
        Put(words, 4, (uint)(Inheritable.Bits >> 32));
        if (RootUser != 0)
        {
            Put(words, 5, RootUser);
        }

        return attribute;
    }

    /// <summary>As getcap(8) writes it: <c>cap_net_raw,cap_bpf=p</c>.</summary>
    public override string ToString()
    {
        var namespaceRoot = RootUser == 0 ? "" : $" [rootid={RootUser}]";
        var both = Permitted & Inheritable;
        var parts = new[]
        {
            Part(both, Effective ? "eip" : "ip"),
            Part(Permitted.Except(both), Effective ? "ep" : "p"),
            Part(Inheritable.Except(both), Effective ? "ei" : "i"),
        };
        var text = string.Join(' ', parts.Where(part => part.Length > 0));
        return (text.Length == 0 ? "=" : text) + namespaceRoot;
    }

    private static string Part(CapabilitySet set, string flags) => set.IsEmpty ? "" : $"{set.ToSetcapText()}={flags}";

    private static FileCapabilities Read(ReadOnlySpan<byte> attribute, uint magic, uint root) => new(
        new(Word(attribute, 1) | ((ulong)Word(attribute, 3) << 32)), new(Word(attribute, 2) | ((ulong)Word(attribute, 4) << 32)),
        (magic & EffectiveFlag) != 0, root);

    private static uint Word(ReadOnlySpan<byte> bytes, int index) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[(index * 4)..]);

    private static void Put(Span<byte> bytes, int index, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[(index * 4)..], value);
}

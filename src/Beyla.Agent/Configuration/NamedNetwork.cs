using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Beyla.Agent.Configuration;

/// <summary>A block of addresses with the name that flows show for it.</summary>
/// <param name="Network">The block.</param>
/// <param name="Label">The name, or the block as it was written when it has none.</param>
public sealed record NamedNetwork(IPNetwork Network, string Label)
{
    /// <summary>Reads <c>10.0.0.0/8</c> or <c>fd00::/8</c>; bits behind the prefix are cut off.</summary>
    public static bool TryParse(string text, string label, [NotNullWhen(true)] out NamedNetwork? network)
    {
        network = null;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !SettingValue.TryAddress(text[..slash], out var address)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            return false;
        }

        var bytes = address.GetAddressBytes();
        if (length > bytes.Length * 8)
        {
            return false;
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] &= (byte)(0xff << (8 - Math.Clamp(length - i * 8, 0, 8)));
        }

        network = new NamedNetwork(new IPNetwork(new IPAddress(bytes), length), label);
        return true;
    }
}

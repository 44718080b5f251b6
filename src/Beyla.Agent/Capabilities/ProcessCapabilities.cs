using System.Globalization;
using System.Runtime.InteropServices;
using Beyla.Agent.Linux;

namespace Beyla.Agent.Capabilities;

/// <summary>The five capability sets of a thread (capabilities(7)).</summary>
/// <param name="Effective">What the kernel checks now.</param>
/// <param name="Permitted">What the thread may make effective.</param>
/// <param name="Inheritable">What a file with inheritable capabilities may pass on at exec.</param>
/// <param name="Bounding">The most that an exec can give.</param>
/// <param name="Ambient">What an exec of a file without capabilities keeps.</param>
public readonly record struct ProcessCapabilities(
    CapabilitySet Effective, CapabilitySet Permitted, CapabilitySet Inheritable, CapabilitySet Bounding, CapabilitySet Ambient)
{
    /// <summary>Reads the sets of the calling thread from the kernel, without /proc.</summary>
    /// <exception cref="KernelException">The kernel refused capget(2), which only a seccomp filter does.</exception>
    public static ProcessCapabilities Current()
    {
        if (CapabilityCalls.Get(out var effective, out var permitted, out var inheritable) < 0)
        {
            throw new KernelException("read own capabilities (capget)", Marshal.GetLastPInvokeError());
        }

        ulong bounding = 0, ambient = 0;
        for (ulong number = 0; number < 64; number++)
        {
            var bounded = CapabilityCalls.prctl(CapabilityCalls.PR_CAPBSET_READ, number, 0, 0, 0);
            if (bounded < 0)
            {
                break; // EINVAL: past the kernel's last capability
            }

            bounding |= (ulong)bounded << (int)number;
            var kept = CapabilityCalls.prctl(CapabilityCalls.PR_CAP_AMBIENT, CapabilityCalls.PR_CAP_AMBIENT_IS_SET, number, 0, 0);
            ambient |= kept > 0 ? 1UL << (int)number : 0;
        }

        return new ProcessCapabilities(effective, permitted, inheritable, new CapabilitySet(bounding), new CapabilitySet(ambient));
    }

    /// <summary>Reads the sets out of the text of a <c>/proc/PID/status</c> file; sets that it does not name are empty.</summary>
    public static ProcessCapabilities Parse(string status)
    {
        ArgumentNullException.ThrowIfNull(status);
        CapabilitySet effective = default, permitted = default, inheritable = default, bounding = default, ambient = default;
        foreach (var line in status.AsSpan().EnumerateLines())
        {
            if (line.Length < 8 || !line.StartsWith("Cap") || line[6] != ':'
                || !ulong.TryParse(line[7..].Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits))
            {
                continue;
            }

            var set = new CapabilitySet(bits);
            switch (line[3..6])
            {
                case "Eff": effective = set; break;
                case "Prm": permitted = set; break;
                case "Inh": inheritable = set; break;
                case "Bnd": bounding = set; break;
                case "Amb": ambient = set; break;
            }
        }

        return new ProcessCapabilities(effective, permitted, inheritable, bounding, ambient);
    }
}

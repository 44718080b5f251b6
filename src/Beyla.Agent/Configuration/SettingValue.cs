using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Beyla.Agent.Logging;
using Beyla.Agent.Selection;

namespace Beyla.Agent.Configuration;

/// <summary>Checks values against the type of their setting, and reads them.</summary>
internal static class SettingValue
{
    /// <summary>What is wrong with a value, or null. Says what is allowed.</summary>
    public static string? Check(Setting setting)
    {
        var key = setting.Key;
        if (key.Type is SettingType.Any or SettingType.Selectors)
        {
            return null;
        }

        if (setting.Text is null && (setting.Node!.Kind != ConfigurationNodeKind.List || !TakesItems(key.Type)))
        {
            return $"a single value{(TakesItems(key.Type) ? " or a list" : "")} is expected";
        }

        var text = setting.Text ?? "";
        if (text.Length == 0 && setting.Text is not null && key.AllowsEmpty)
        {
            return null;
        }

        return key.Type switch
        {
            SettingType.Text => null,
            SettingType.Boolean => TryBoolean(text, out _) ? null : "allowed are true, false, 1 and 0",
            SettingType.Integer => CheckInteger(key, text),
            SettingType.Number => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _)
                ? null : "a number is expected",
            SettingType.Duration => CheckDuration(key, text),
            SettingType.Choice => TryChoice(key, text, out _) ? null : "allowed are " + string.Join(", ", key.Choices),
            SettingType.Ports => Ranges(setting, 1, ushort.MaxValue, out _),
            SettingType.Pids => Ranges(setting, 1, int.MaxValue, out _),
            SettingType.Glob => Glob.TryParse(text, out _, out var error) ? null : error,
            SettingType.Regex => SafeRegex.TryParse(text, out _, out var error) ? null : error,
            SettingType.Address => text.Length == 0 || TryAddress(text, out _) ? null : "an IPv4 or IPv6 address is expected",
            SettingType.Interface => IsInterface(text) ? null : "allowed are external, local and name:INTERFACE",
            SettingType.List => CheckItems(setting, static _ => null),
            SettingType.Names => CheckItems(setting, static item => NamePattern.TryParse(item, out _, out var error) ? null : error),
            SettingType.Protocols => CheckItems(setting, static item => TransportProtocol.TryParse(item, out _)
                ? null : $"allowed are {string.Join(", ", TransportProtocol.Names)}"),
            SettingType.Networks => Networks(setting, out _),
            _ => throw new InvalidOperationException($"{key.Type} is not a type of values"),
        };
    }

    /// <summary>The spellings of Go's strconv.ParseBool.</summary>
    public static bool TryBoolean(string text, out bool value)
    {
        value = text is "1" or "t" or "T" or "true" or "TRUE" or "True";
        return value || text is "0" or "f" or "F" or "false" or "FALSE" or "False";
    }

    /// <summary>Reads a whole number in decimal digits, which may have a sign.</summary>
    public static bool TryInteger(string text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    /// <summary>The choice as the table spells it; case does not count.</summary>
    public static bool TryChoice(KeyDefinition key, string text, out string choice)
    {
        choice = key.Choices.FirstOrDefault(known => known.Equals(text, StringComparison.OrdinalIgnoreCase)) ?? "";
        return choice.Length > 0;
    }

    /// <summary>An address in full notation: <see cref="IPAddress"/> would also take <c>1</c> and <c>0x7f.1</c>.</summary>
    public static bool TryAddress(string text, out IPAddress address)
    {
        address = IPAddress.None;
        if (!IPAddress.TryParse(text, out var parsed)
            || text.Contains('%', StringComparison.Ordinal)
            || text.Contains('[', StringComparison.Ordinal))
        {
            return false;
        }

        if (parsed.AddressFamily == AddressFamily.InterNetwork && parsed.ToString() != text)
        {
            return false;
        }

        address = parsed;
        return true;
    }

    /// <summary>Reads ports or process ids, from <c>80,443</c>, <c>[80, 443]</c> or <c>["8000-8999"]</c>; returns what is wrong.</summary>
    public static string? Ranges(Setting setting, int minimum, int maximum, out IntegerRanges ranges) =>
        Ranges(setting.Text, setting.Node, minimum, maximum, out ranges);

    /// <summary>As above, with numbers in a text or, where that is null, in a node; returns what is wrong, or null.</summary>
    public static string? Ranges(string? text, ConfigurationNode? node, int minimum, int maximum, out IntegerRanges ranges)
    {
        ranges = IntegerRanges.None;
        if (text is null && node!.Items.Any(static item => item.Text is null))
        {
            return "a list of numbers and ranges such as 80,443,8000-8999 is expected";
        }

        if (!IntegerRanges.TryParse(
            text ?? string.Join(',', node!.Items.Select(static item => item.Text)),
            minimum, maximum, out var parsed, out var error))
        {
            return error;
        }

        ranges = parsed;
        return null;
    }

    /// <summary>Reads CIDR blocks; returns what is wrong. Host bits are cut off, as Go's net.ParseCIDR does.</summary>
    public static string? Networks(Setting setting, out List<NamedNetwork> networks)
    {
        networks = [];
        if (setting.Text is not null)
        {
            foreach (var item in setting.Items)
            {
                if (!NamedNetwork.TryParse(item, item, out var network))
                {
                    return $"{LogText.Quote(item)} is not an address block such as 10.0.0.0/8";
                }
                else
                {
                    networks.Add(network);
                }
            }

            return null;
        }

        foreach (var item in setting.Node!.Items)
        {
            var block = item.Text ?? item.Entries.FirstOrDefault(static entry => entry.Key.Text == "cidr").Value?.Text;
            var name = item.Entries.FirstOrDefault(static entry => entry.Key.Text == "name").Value?.Text;
            var other = item.Entries.FirstOrDefault(static entry => entry.Key.Text is not ("cidr" or "name")).Key?.Text;
            if (other is not null)
            {
                return $"{LogText.Quote(other)} is unknown here, an entry has cidr and name";
            }

            if (block is null || !NamedNetwork.TryParse(block, string.IsNullOrEmpty(name) ? block : name, out var network))
            {
                return $"{LogText.Quote(item.ToString())} is neither an address block such as 10.0.0.0/8 "
                    + "nor {cidr: 10.0.0.0/8, name: internal}";
            }

            networks.Add(network);
        }

        return null;
    }

    private static bool TakesItems(SettingType type) => type is SettingType.List or SettingType.Ports or SettingType.Pids
        or SettingType.Names or SettingType.Protocols or SettingType.Networks;

    private static bool IsInterface(string text) =>
        text is "external" or "local" || (text.StartsWith("name:", StringComparison.Ordinal) && text.Length > 5);

    private static string? CheckInteger(KeyDefinition key, string text)
    {
        if (TryInteger(text, out var value) && value >= key.Minimum && value <= key.Maximum)
        {
            return null;
        }

        return key switch
        {
            { Minimum: int.MinValue } => "a whole number is expected",
            { Maximum: int.MaxValue } => $"a whole number of at least {key.Minimum} is expected",
            _ => $"a whole number from {key.Minimum} to {key.Maximum} is expected",
        };
    }

    private static string? CheckDuration(KeyDefinition key, string text)
    {
        if (!GoDuration.TryParse(text, out var value))
        {
            return "a duration with a unit is expected, such as 250ms, 1.5s or 1h30m";
        }

        return key.Positive && value <= TimeSpan.Zero ? "a duration above zero is expected" : null;
    }

    private static string? CheckItems(Setting setting, Func<string, string?> check)
    {
        if (setting.Node is { Kind: ConfigurationNodeKind.List } list && list.Items.Any(static item => item.Text is null))
        {
            return "a list of texts is expected";
        }

        foreach (var item in setting.Items)
        {
            if (check(item) is { } error)
            {
                return $"{LogText.Quote(item)}: {error}";
            }
        }

        return null;
    }
}

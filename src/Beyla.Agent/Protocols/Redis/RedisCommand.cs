namespace Beyla.Agent.Protocols.Redis;

/// <summary>
/// A command of the table <see cref="RedisCommands"/>: what it does, and what of its arguments may be shown. Each argument has a role, a
/// letter:
/// <list type="bullet">
/// <item><c>k</c> a key, a field or another name: shown</item>
/// <item><c>v</c> a value: never shown</item>
/// <item><c>o</c> an option: shown when it is a word of <see cref="RedisCommands.IsOption"/>, else hidden as a value</item>
/// <item><c>f</c> as <c>o</c>, until one is no such word: what follows are values</item>
/// <item><c>d</c> a small number that is shown and kept (database, version of RESP)</item>
/// <item><c>n</c> a number of keys that follow: shown, as the keys are</item>
/// <item><c>p</c> the name or digest of a script or function: shown</item>
/// <item><c>s</c> options, until STREAMS: of what follows the first half are keys</item>
/// <item><c>m</c> ON, OFF or SKIP</item>
/// </list>
/// A form is roles in order, <c>( )</c> around those that repeat until the last ones, which follow: <c>k(kv)</c>, <c>(k)v</c>. Arguments
/// beyond a form without a repetition are values.
/// </summary>
internal sealed class RedisCommand
{
    private readonly string first, repeated, last;

    /// <param name="kind">What it does.</param>
    /// <param name="form">Roles of the arguments.</param>
    public RedisCommand(RedisCommandKind kind, string form)
    {
        Kind = kind;
        var open = form.IndexOf('(', StringComparison.Ordinal);
        var close = form.IndexOf(')', StringComparison.Ordinal);
        first = open < 0 ? form : form[..open];
        repeated = open < 0 ? "v" : form[(open + 1)..close];
        last = open < 0 ? "" : form[(close + 1)..];
    }

    /// <summary>What it does.</summary>
    public RedisCommandKind Kind { get; }

    /// <summary>The role of an argument.</summary>
    /// <param name="place">Its place in the form, from 0.</param>
    /// <param name="left">Arguments from this one on.</param>
    public char Role(int place, long left)
    {
        if (place < first.Length)
        {
            return first[place];
        }

        return left <= last.Length ? last[^(int)left] : repeated[(place - first.Length) % repeated.Length];
    }
}

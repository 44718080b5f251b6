using System.Text;

namespace Beyla.Agent.Selection;

/// <summary>Turns the text of a glob into the states of <see cref="Glob"/>.</summary>
internal sealed class GlobCompiler(string pattern)
{
    private const int MaximumDepth = 16;

    private readonly List<GlobStep> steps = [];
    private int position;
    private string? error;

    /// <summary>The states that <see cref="Compile"/> made.</summary>
    public GlobStep[] Steps => [.. steps];

    /// <summary>Compiles the pattern; returns what is wrong with it, or null.</summary>
    public string? Compile()
    {
        Sequence(0);
        steps.Add(new GlobStep());
        return error;
    }

    private void Sequence(int depth)
    {
        while (error is null && position < pattern.Length)
        {
            var c = pattern[position];
            if (depth > 0 && (c is ',' or '}'))
            {
                return;
            }

            position++;
            switch (c)
            {
                case '*':
                    Star();
                    break;
                case '?':
                    Consume(static _ => true);
                    break;
                case '[':
                    Class();
                    break;
                case '{':
                    Alternatives(depth + 1);
                    break;
                case '\\' when position == pattern.Length:
                    error = "it ends with a backslash that escapes nothing";
                    break;
                case '\\':
                    Literal();
                    break;
                default:
                    position--;
                    Literal();
                    break;
            }
        }
    }

    /// <summary>A state that jumps over itself or consumes anything and comes back.</summary>
    private void Star()
    {
        var loop = steps.Count;
        steps.Add(new GlobStep { Jumps = { loop + 1, loop + 3 } });
        Consume(static _ => true);
        steps.Add(new GlobStep { Jumps = { loop } });
    }

    private void Literal()
    {
        if (!TryRune(out var literal))
        {
            return;
        }

        Consume(character => character == literal);
    }

    private void Class()
    {
        var start = position - 1;
        var negated = position < pattern.Length && (pattern[position] is '!' or '^');
        if (negated)
        {
            position++;
        }

        var ranges = new List<(Rune First, Rune Last)>();
        while (position < pattern.Length && (pattern[position] != ']' || ranges.Count == 0))
        {
            if (!ClassMember(out var first))
            {
                return;
            }

            var last = first;
            if (position + 1 < pattern.Length && pattern[position] == '-' && pattern[position + 1] != ']')
            {
                position++;
                if (!ClassMember(out last))
                {
                    return;
                }
            }

            if (last < first)
            {
                error = $"the range {first}-{last} at character {start + 1} ends before it starts";
                return;
            }

            ranges.Add((first, last));
        }

        if (position >= pattern.Length)
        {
            error = $"the [ at character {start + 1} has no ]";
            return;
        }

        position++;
        var members = ranges.ToArray();
        Consume(character => Array.Exists(members, range => character >= range.First && character <= range.Last) != negated);
    }

    private bool ClassMember(out Rune member)
    {
        if (pattern[position] == '\\' && position + 1 < pattern.Length)
        {
            position++;
        }

        return TryRune(out member);
    }

    private void Alternatives(int depth)
    {
        var start = position - 1;
        if (depth > MaximumDepth)
        {
            error = $"braces are nested more than {MaximumDepth} deep";
            return;
        }

        var choose = new GlobStep();
        steps.Add(choose);
        var ends = new List<GlobStep>();
        while (error is null)
        {
            choose.Jumps.Add(steps.Count);
            Sequence(depth);
            var end = new GlobStep();
            steps.Add(end);
            ends.Add(end);
            if (position >= pattern.Length)
            {
                error ??= $"the {{ at character {start + 1} has no }}";
                return;
            }

            if (pattern[position++] == '}')
            {
                break;
            }
        }

        foreach (var end in ends)
        {
            end.Jumps.Add(steps.Count);
        }
    }

    private void Consume(Predicate<Rune> accepts) => steps.Add(new GlobStep { Accepts = accepts });

    private bool TryRune(out Rune rune)
    {
        if (Rune.DecodeFromUtf16(pattern.AsSpan(position), out rune, out var length) != System.Buffers.OperationStatus.Done)
        {
            error = $"character {position + 1} is half of a surrogate pair";
            return false;
        }

        position += length;
        return true;
    }
}

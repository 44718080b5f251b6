using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Beyla.Agent.Selection;

/// <summary>
/// A glob over a whole text, in the syntax of the peer's selectors: <c>*</c> any text (slashes too), <c>?</c> one character,
/// <c>[abc]</c>, <c>[a-z]</c>, <c>[!a-z]</c>, <c>{one,two*}</c> (may be nested), <c>\</c> before a character that means itself. Case
/// counts.
/// </summary>
/// <remarks>
/// Compiled to a small state machine whose states are all followed at once, so that the time is bounded by the length of the
/// pattern times that of the text, whatever both hold.
/// </remarks>
public sealed class Glob : ITextPattern
{
    /// <summary>Longest pattern, in characters.</summary>
    public const int MaximumLength = 4096;

    private readonly GlobStep[] steps;

    private Glob(string pattern, GlobStep[] steps)
    {
        Pattern = pattern;
        this.steps = steps;
    }

    /// <summary>The pattern as it was written.</summary>
    public string Pattern { get; }

    /// <summary>Compiles a pattern.</summary>
    /// <param name="pattern">The pattern; must not be empty.</param>
    /// <param name="glob">The glob.</param>
    /// <param name="error">What is wrong, without the name of the key.</param>
    public static bool TryParse(string pattern, [NotNullWhen(true)] out Glob? glob, [NotNullWhen(false)] out string? error)
    {
        glob = null;
        if (pattern.Length is 0 or > MaximumLength)
        {
            error = $"a glob has 1 to {MaximumLength} characters";
            return false;
        }

        var compiler = new GlobCompiler(pattern);
        error = compiler.Compile();
        if (error is not null)
        {
            return false;
        }

        glob = new Glob(pattern, compiler.Steps);
        return true;
    }

    /// <summary>Whether the whole text fits the pattern.</summary>
    public bool IsMatch(string text)
    {
        var current = new BitArray(steps.Length);
        var next = new BitArray(steps.Length);
        var pending = new Stack<int>();
        Enter(current, pending, 0);
        foreach (var character in text.EnumerateRunes())
        {
            var alive = false;
            next.SetAll(false);
            for (var i = 0; i < steps.Length; i++)
            {
                if (!current[i] || !steps[i].Accepts(character))
                {
                    continue;
                }

                Enter(next, pending, i + 1);
                alive = true;
            }

            if (!alive)
            {
                return false;
            }

            (current, next) = (next, current);
        }

        return current[steps.Length - 1];
    }

    /// <summary>The pattern as it was written.</summary>
    public override string ToString() => Pattern;

    /// <summary>Marks a state and all that are reached from it without a character.</summary>
    private void Enter(BitArray states, Stack<int> pending, int first)
    {
        pending.Push(first);
        while (pending.TryPop(out var state))
        {
            if (states[state])
            {
                continue;
            }

            states[state] = true;
            foreach (var target in steps[state].Jumps)
            {
                pending.Push(target);
            }
        }
    }
}

/// <summary>One state of a <see cref="Glob"/>: it consumes a character and goes on to the state after it, or jumps without one.</summary>
internal sealed class GlobStep
{
    /// <summary>States reached from here without a character.</summary>
    public List<int> Jumps { get; } = [];

    /// <summary>Whether a character leads to the next state; false for states that only jump and for the last one.</summary>
    public Predicate<Rune> Accepts { get; init; } = static _ => false;
}

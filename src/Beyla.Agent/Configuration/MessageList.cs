using System.Collections;

namespace Beyla.Agent.Configuration;

/// <summary>
/// What is to be said about a configuration, one line each, for a bounded number of lines: a file of a megabyte can hold hundreds of
/// thousands of mistakes of one kind. The last line says how many were left out.
/// </summary>
internal sealed class MessageList : IReadOnlyList<string>
{
    /// <summary>How many lines are kept.</summary>
    public const int Limit = 500;

    private readonly List<string> lines = [];

    /// <summary>How many there were, also those that were not kept.</summary>
    public int Total { get; private set; }

    /// <summary>Whether another line is still kept: ask before a text is costly to make.</summary>
    public bool HasRoom => Total < Limit;

    /// <summary>How many lines there are to read: those that were kept, and one more that counts the rest.</summary>
    public int Count => Math.Min(Total, Limit + 1);

    /// <inheritdoc/>
    public string this[int index] => index < Limit ? lines[index] : $"{Total - Limit} more of these are left out";

    /// <summary>Adds a line, or only counts it when the list is full.</summary>
    public void Add(string line)
    {
        if (HasRoom)
        {
            lines.Add(line);
        }

        Total++;
    }

    /// <summary>Adds lines in their order, as <see cref="Add"/>.</summary>
    public void AddRange(IEnumerable<string> more)
    {
        foreach (var line in more)
        {
            Add(line);
        }
    }

    /// <inheritdoc/>
    public IEnumerator<string> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

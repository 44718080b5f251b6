using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// The names of one connection under which texts are known: of prepared statements, or of portals. The empty name has a place of its own.
/// What is not remembered has no text; a name never leads to the text of another one.
/// </summary>
/// <param name="texts">The texts of all connections.</param>
/// <param name="capacity">Names besides the empty one.</param>
internal sealed class NamedTexts(StatementTexts texts, int capacity)
{
    private int[] hashes = [];
    private Entry[] entries = [];
    private Entry unnamed;
    private int count, victim;

    /// <summary>Names besides the empty one.</summary>
    public int Count => count;

    /// <summary>The text of a name, or null; no reference is added.</summary>
    public StatementText? Find(ReadOnlySpan<byte> name) =>
        name.IsEmpty ? unnamed.Text : IndexOf(name) is >= 0 and var i ? entries[i].Text : null;

    /// <summary>Gives a name a text.</summary>
    /// <param name="name">Copied when it is new.</param>
    /// <param name="text">Its reference is taken over; null when it is not known.</param>
    /// <param name="ordinal">Place of the message among those that have a response, for <see cref="Undo"/>.</param>
    public void Set(ReadOnlySpan<byte> name, StatementText? text, long ordinal)
    {
        if (name.IsEmpty)
        {
            Replace(ref unnamed, text, ordinal, false);
            return;
        }

        var index = IndexOf(name);
        if (index >= 0)
        {
            Replace(ref entries[index], text, ordinal, true);
            return;
        }

        if (text is null)
        {
            return;
        }

        if (count >= capacity || !texts.TryAddName())
        {
            if (count == 0)
            {
                texts.Release(text);
                return;
            }

            Remove(victim++ % count);
            _ = texts.TryAddName();
        }

        if (count == entries.Length)
        {
            Array.Resize(ref entries, Math.Max(4, 2 * count));
            Array.Resize(ref hashes, entries.Length);
        }

        hashes[count] = Hash(name);
        entries[count++] = new Entry { Name = name.ToArray(), Text = text, Ordinal = ordinal };
    }

    /// <summary>The server did what the message of this place said: what the name meant before is over.</summary>
    public void Settle(long ordinal)
    {
        for (var i = count - 1; i >= 0; i--)
        {
            if (entries[i].Ordinal == ordinal)
            {
                Drop(ref entries[i].Before);
                return;
            }
        }
    }

    /// <summary>The server did not do what the message of this place said: the name means what it meant before, if that is known.</summary>
    public void Undo(long ordinal)
    {
        if (unnamed.Ordinal == ordinal)
        {
            Drop(ref unnamed.Text);
        }

        for (var i = count - 1; i >= 0; i--)
        {
            if (entries[i].Ordinal == ordinal)
            {
                Drop(ref entries[i].Text);
                entries[i].Text = entries[i].Before;
                entries[i].Before = null;
                entries[i].Ordinal = -1;
                if (entries[i].Text is null)
                {
                    Remove(i);
                }

                return;
            }
        }
    }

    /// <summary>Memory is tight: long texts are cut.</summary>
    public void Shorten(BufferPool buffers)
    {
        unnamed.Text?.Shorten(buffers);
        for (var i = 0; i < count; i++)
        {
            entries[i].Text?.Shorten(buffers);
            entries[i].Before?.Shorten(buffers);
        }
    }

    /// <summary>Forgets a name.</summary>
    public void Remove(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
        {
            Drop(ref unnamed.Text);
        }
        else if (IndexOf(name) is >= 0 and var index)
        {
            Remove(index);
        }
    }

    /// <summary>Forgets all names but the empty one.</summary>
    public void ClearNamed()
    {
        for (var i = 0; i < count; i++)
        {
            Drop(ref entries[i].Text);
            Drop(ref entries[i].Before);
            entries[i] = default;
        }

        texts.RemoveNames(count);
        count = 0;
        if (entries.Length > 16)
        {
            entries = [];
            hashes = [];
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        ClearNamed();
        Drop(ref unnamed.Text);
    }

    private static int Hash(ReadOnlySpan<byte> name)
    {
        var hash = new HashCode();
        hash.AddBytes(name);
        return hash.ToHashCode();
    }

    private int IndexOf(ReadOnlySpan<byte> name)
    {
        if (count == 0)
        {
            return -1;
        }

        var hash = Hash(name);
        for (var from = 0; hashes.AsSpan(from, count - from).IndexOf(hash) is >= 0 and var at; from += at + 1)
        {
            if (name.SequenceEqual(entries[from + at].Name))
            {
                return from + at;
            }
        }

        return -1;
    }

    private void Remove(int index)
    {
        Drop(ref entries[index].Text);
        Drop(ref entries[index].Before);
        count--;
        texts.RemoveNames(1);
        entries[index] = entries[count];
        hashes[index] = hashes[count];
        entries[count] = default;
    }

    private void Replace(ref Entry entry, StatementText? text, long ordinal, bool keepsBefore)
    {
        Drop(ref entry.Before);
        entry.Before = keepsBefore ? entry.Text : null;
        if (!keepsBefore)
        {
            texts.Release(entry.Text);
        }

        entry.Text = text;
        entry.Ordinal = ordinal;
    }

    private void Drop(ref StatementText? text)
    {
        texts.Release(text);
        text = null;
    }

    private struct Entry
    {
        public byte[] Name;
        public StatementText? Text, Before;
        public long Ordinal;
    }
}

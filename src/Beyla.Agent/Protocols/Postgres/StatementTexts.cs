using Beyla.Agent.Protocols.Sql;
using Beyla.Agent.Tracing;

namespace Beyla.Agent.Protocols.Postgres;

/// <summary>
/// The texts of all connections. Those of named prepared statements are shared by all that have the same, as the connections of a pool do,
/// and are of a limited number: beyond it the one that was not used for longest is forgotten.
/// </summary>
/// <param name="options">Limits.</param>
/// <param name="buffers">Give room.</param>
internal sealed class StatementTexts(PostgresOptions options, BufferPool buffers)
{
    /// <summary>Names of all connections together, for each text that is remembered.</summary>
    private const int NamesPerText = 64;

    /// <summary>Estimates of what a text, without its bytes, and a name take.</summary>
    private const int TextSize = 160, NameSize = 128;

    private readonly StatementReader reader = new(options.MaxText);
    private readonly Dictionary<int, StatementText> shared = [];
    private readonly ObjectPool<StatementText> pool = new(buffers, TextSize, static () => new StatementText());
    private StatementText? earliest, latest;
    private int names;

    /// <summary>Texts that were read: each when its message came, and no more. Tests use it.</summary>
    public long ReadTexts => reader.ReadTexts;

    /// <summary>Texts that are shared.</summary>
    public int Shared => shared.Count;

    /// <summary>The text of a query, with one reference.</summary>
    /// <param name="sql">As sent.</param>
    /// <param name="isCut">There is more of it.</param>
    /// <param name="reading">How the server reads it.</param>
    public StatementText Read(ReadOnlySpan<byte> sql, bool isCut, SqlReading reading)
    {
        var facts = reader.Read(sql, isCut, reading, buffers.Most(StatementText.ShortSummary));
        return Make(in facts);
    }

    /// <summary>The text of a statement that is prepared under a name, with one reference.</summary>
    /// <param name="sql">As sent.</param>
    /// <param name="isCut">There is more of it.</param>
    /// <param name="reading">How the server reads it.</param>
    public StatementText Share(ReadOnlySpan<byte> sql, bool isCut, SqlReading reading)
    {
        var facts = reader.Read(sql, isCut, reading, buffers.Most(StatementText.ShortSummary));
        var hash = new HashCode();
        hash.AddBytes(reader.Text);
        hash.AddBytes(reader.Summary);
        var key = hash.ToHashCode();
        if (shared.TryGetValue(key, out var known) && known.IsOf(reader.Text, reader.Summary, buffers))
        {
            known.References++;
            Use(known);
            return known;
        }

        var text = Make(in facts);
        if (known is not null)
        {
            // Two texts with one hash: the later one is found from now on.
            Unshare(known);
        }
        else if (shared.Count >= options.MaxStatements)
        {
            if (earliest is null)
            {
                text.Forget(buffers);
                return text;
            }

            var oldest = earliest;
            Unshare(oldest);
            oldest.Forget(buffers);
        }

        text.Hash = key;
        text.IsShared = true;
        shared.Add(key, text);
        Append(text);
        return text;
    }

    /// <summary>Another holder.</summary>
    public StatementText? Hold(StatementText? text)
    {
        if (text is not null)
        {
            text.References++;
            if (text.IsShared)
            {
                Use(text);
            }
        }

        return text;
    }

    /// <summary>One holder less; null is ignored.</summary>
    public void Release(StatementText? text)
    {
        if (text is null || --text.References > 0)
        {
            return;
        }

        if (text.IsShared)
        {
            Unshare(text);
        }

        text.Forget(buffers);
        pool.Return(text);
    }

    /// <summary>Whether there is room for another name; then it is taken.</summary>
    public bool TryAddName()
    {
        if (names >= (long)options.MaxStatements * NamesPerText)
        {
            return false;
        }

        names++;
        buffers.Charge(NameSize);
        return true;
    }

    /// <summary>Names that are held no longer.</summary>
    public void RemoveNames(int count)
    {
        names -= count;
        buffers.Refund(count * NameSize);
    }

    private StatementText Make(in SqlFacts facts)
    {
        var text = pool.Rent();
        text.References = 1;
        text.Set(reader.Text, reader.Summary, in facts, buffers);
        return text;
    }

    private void Unshare(StatementText text)
    {
        _ = shared.Remove(text.Hash);
        text.IsShared = false;
        Unlink(text);
    }

    private void Use(StatementText text)
    {
        if (text != latest)
        {
            Unlink(text);
            Append(text);
        }
    }

    private void Append(StatementText text)
    {
        text.Earlier = latest;
        text.Later = null;
        _ = latest is null ? earliest = text : latest.Later = text;
        latest = text;
    }

    private void Unlink(StatementText text)
    {
        _ = text.Earlier is null ? earliest = text.Later : text.Earlier.Later = text.Later;
        _ = text.Later is null ? latest = text.Earlier : text.Later.Earlier = text.Earlier;
        text.Earlier = text.Later = null;
    }
}

using System.Collections;

namespace Beyla;

/// <content>
/// The set as PowerShell knows tables: ConvertTo-Json writes an object of it, Export-Clixml and remoting a hashtable, and
/// <c>$_.Attributes['url.path']</c> finds a value. It does not change.
/// </content>
public sealed partial class AttributeSet : IDictionary
{
    bool IDictionary.IsFixedSize => true;

    bool IDictionary.IsReadOnly => true;

    ICollection IDictionary.Keys => Keys.ToArray();

    ICollection IDictionary.Values => Values.ToArray();

    bool ICollection.IsSynchronized => false;

    object ICollection.SyncRoot => this;

    object? IDictionary.this[object key]
    {
        get => key is string name && TryGetValue(name, out var value) ? value : null;
        set => throw Fixed();
    }

    IEnumerator IEnumerable.GetEnumerator() => ((IDictionary)this).GetEnumerator();

    IDictionaryEnumerator IDictionary.GetEnumerator() => new Walk(entries);

    bool IDictionary.Contains(object key) => key is string name && ContainsKey(name);

    void ICollection.CopyTo(Array array, int index)
    {
        foreach (var entry in entries)
        {
            array.SetValue(new DictionaryEntry(entry.Name, entry.Value), index++);
        }
    }

    void IDictionary.Add(object key, object? value) => throw Fixed();

    void IDictionary.Clear() => throw Fixed();

    void IDictionary.Remove(object key) => throw Fixed();

    private static NotSupportedException Fixed() => new("The attributes of a span do not change.");

    private sealed class Walk(AttributeEntry[] entries) : IDictionaryEnumerator
    {
        private int place = -1;

        public DictionaryEntry Entry => new(entries[place].Name, entries[place].Value);

        public object Key => entries[place].Name;

        public object? Value => entries[place].Value;

        public object Current => Entry;

        public bool MoveNext() => ++place < entries.Length;

        public void Reset() => place = -1;
    }
}

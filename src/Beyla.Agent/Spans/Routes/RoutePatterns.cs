using System.Text;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// Patterns of paths, <c>routes.patterns</c> and <c>routes.ignored_patterns</c>: <c>/users/:id</c> and <c>/users/{id}</c> have one variable
/// segment; <c>*</c> is one segment in the middle, and at the end the rest of the path, which may be nothing. A word goes before a
/// variable, a variable before the rest, whatever the order in the list; of two that are alike the first counts. Immutable.
/// </summary>
internal sealed class RoutePatterns
{
    private readonly Node root = new();

    /// <param name="patterns">Each begins with a slash, or is <c>*</c>.</param>
    public RoutePatterns(IEnumerable<string> patterns)
    {
        foreach (var pattern in patterns)
        {
            Add(pattern);
        }
    }

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty { get; private set; } = true;

    /// <summary>The pattern that a path fits, as it was written, in UTF-8; empty where none does.</summary>
    public ReadOnlySpan<byte> Find(ReadOnlySpan<byte> path) => Find(root, new PathSegments(path));

    private static byte[]? Find(Node node, PathSegments segments)
    {
        if (!segments.MoveNext())
        {
            return node.Pattern ?? node.Rest;
        }

        foreach (var (word, next) in node.Words)
        {
            if (segments.Current.SequenceEqual(word) && Find(next, segments) is { } found)
            {
                return found;
            }
        }

        return (node.Variable is { } variable ? Find(variable, segments) : null) ?? node.Rest;
    }

    private void Add(string pattern)
    {
        IsEmpty = false;
        var written = Encoding.UTF8.GetBytes(pattern);
        var node = root;
        var segments = new PathSegments(written);
        while (segments.MoveNext())
        {
            var segment = segments.Current;
            if (segment.SequenceEqual("*"u8) && segments.Next.IsEmpty)
            {
                node.Rest ??= written;
                return;
            }

            node = segment.SequenceEqual("*"u8) || segment[0] == ':' || (segment[0] == '{' && segment[^1] == '}')
                ? node.Variable ??= new Node()
                : node.Word(segment);
        }

        node.Pattern ??= written;
    }

    private sealed class Node
    {
        public List<(byte[] Word, Node Next)> Words { get; } = [];

        public Node? Variable { get; set; }

        /// <summary>The pattern that ends here.</summary>
        public byte[]? Pattern { get; set; }

        /// <summary>The pattern that takes all that follows.</summary>
        public byte[]? Rest { get; set; }

        public Node Word(ReadOnlySpan<byte> word)
        {
            foreach (var (known, next) in Words)
            {
                if (word.SequenceEqual(known))
                {
                    return next;
                }
            }

            var added = new Node();
            Words.Add((word.ToArray(), added));
            return added;
        }
    }
}

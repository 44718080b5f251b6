namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// What the paths of one service have looked like, <c>routes.unmatched: low-cardinality</c>: a place where segments take more different
/// values than the limit becomes a wildcard from then on. Bounded by <see cref="MaximumNodes"/>, behind which new values are wildcards
/// too. Does not allocate for a route that it knows. One thread.
/// </summary>
/// <param name="limit">Different values of one place (<c>routes.max_path_segment_cardinality</c>).</param>
/// <param name="wildcard">What stands for a value.</param>
internal sealed class SegmentTree(int limit, byte wildcard)
{
    /// <summary>Places that are remembered of a service.</summary>
    public const int MaximumNodes = 4096;

    private readonly Node root = new();
    private int nodes;

    /// <summary>Takes a route into account and writes what becomes of it.</summary>
    /// <param name="route">The route as guessed from the path alone.</param>
    /// <param name="result">Has as much room as the route is long, and 2 bytes.</param>
    /// <returns>Bytes written.</returns>
    public int Write(ReadOnlySpan<byte> route, Span<byte> result)
    {
        var length = 0;
        var node = root;
        var segments = new PathSegments(route);
        while (segments.MoveNext())
        {
            node = Next(node, segments.Current);
            result[length++] = (byte)'/';
            if (node.IsWildcard)
            {
                result[length++] = wildcard;
            }
            else
            {
                node.Segment.CopyTo(result[length..]);
                length += node.Segment.Length;
            }
        }

        if (length == 0)
        {
            result[length++] = (byte)'/';
        }

        return length;
    }

    private Node Next(Node node, ReadOnlySpan<byte> segment)
    {
        if (segment.Length == 1 && segment[0] == wildcard)
        {
            return Wildcard(node);
        }

        foreach (var child in node.Children)
        {
            if (segment.SequenceEqual(child.Segment))
            {
                return child;
            }
        }

        if (node.IsFull)
        {
            return Wildcard(node);
        }

        if (node.Children.Count >= limit || nodes >= MaximumNodes)
        {
            // What was told apart here no longer is, and neither is what stood below: it is learned anew.
            node.IsFull = true;
            nodes -= node.Children.Sum(static child => child.Size());
            node.Children = [];
            return Wildcard(node);
        }

        nodes++;
        var added = new Node { Segment = segment.ToArray() };
        node.Children.Add(added);
        return added;
    }

    private Node Wildcard(Node node)
    {
        if (node.Any is null && nodes >= 2 * MaximumNodes)
        {
            return Node.End;
        }

        if (node.Any is null)
        {
            nodes++;
            node.Any = new Node { IsWildcard = true };
        }

        return node.Any;
    }

    private sealed class Node
    {
        /// <summary>Where there is no room for more: all below is a wildcard.</summary>
        public static readonly Node End = MakeEnd();

        public byte[] Segment { get; init; } = [];

        public bool IsWildcard { get; init; }

        /// <summary>The place has had too many values: only <see cref="Any"/> is left.</summary>
        public bool IsFull { get; set; }

        public List<Node> Children { get; set; } = [];

        public Node? Any { get; set; }

        public int Size() => 1 + Children.Sum(static child => child.Size()) + (Any is null || ReferenceEquals(Any, this) ? 0 : Any.Size());

        private static Node MakeEnd()
        {
            var end = new Node { IsWildcard = true, IsFull = true };
            end.Any = end;
            return end;
        }
    }
}

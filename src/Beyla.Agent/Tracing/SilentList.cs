namespace Beyla.Agent.Tracing;

/// <summary>
/// Conversations of a protocol for which it means something when nothing is heard of them for a while, in the order in which that was
/// last. One thread; nothing is allocated but the places.
/// </summary>
/// <typeparam name="T">The conversation of a protocol.</typeparam>
/// <param name="limit">How long nothing has to come, nanoseconds.</param>
internal sealed class SilentList<T>(long limit)
    where T : Conversation
{
    private readonly LinkedList<Place> places = new();

    /// <summary>When the next one has been silent for so long; CLOCK_MONOTONIC in nanoseconds.</summary>
    public long Due => places.First is { } first ? first.Value.Since + limit : long.MaxValue;

    /// <summary>Something was heard of a conversation.</summary>
    /// <param name="place">Its place, wherever that is.</param>
    /// <param name="time">When; CLOCK_MONOTONIC in nanoseconds.</param>
    public void Touch(Place place, long time)
    {
        place.Since = time;
        if (places.Last != place.Node)
        {
            Remove(place);
            places.AddLast(place.Node);
        }
    }

    /// <summary>Its silence means nothing any more.</summary>
    public void Remove(Place place)
    {
        if (place.Node.List is not null)
        {
            places.Remove(place.Node);
        }
    }

    /// <summary>Takes out the one that is silent longest, if that is long enough.</summary>
    /// <param name="now">CLOCK_MONOTONIC in nanoseconds.</param>
    /// <returns>Null when there is none.</returns>
    public T? TakeSilent(long now)
    {
        if (places.First is not { Value: var place } || now - place.Since < limit)
        {
            return null;
        }

        Remove(place);
        return place.Conversation;
    }

    /// <summary>The place of a conversation in the list, for as long as the object lives.</summary>
    internal sealed class Place
    {
        /// <param name="conversation">Whose.</param>
        public Place(T conversation)
        {
            Conversation = conversation;
            Node = new LinkedListNode<Place>(this);
        }

        /// <summary>Whose it is.</summary>
        public T Conversation { get; }

        /// <summary>When something was heard of it last; CLOCK_MONOTONIC in nanoseconds.</summary>
        public long Since { get; set; }

        /// <summary>What the list holds.</summary>
        public LinkedListNode<Place> Node { get; }
    }
}

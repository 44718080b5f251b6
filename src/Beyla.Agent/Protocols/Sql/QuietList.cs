namespace Beyla.Agent.Protocols.Sql;

/// <summary>Conversations whose response may be over, in the order in which they were heard of last.</summary>
internal sealed class QuietList
{
    private SqlConversation? last;

    /// <summary>The one that is silent longest; null when there is none.</summary>
    public SqlConversation? First { get; private set; }

    /// <summary>More of its response has come.</summary>
    public void Touch(SqlConversation conversation)
    {
        if (conversation == last)
        {
            return;
        }

        Remove(conversation);
        conversation.Earlier = last;
        _ = last is null ? First = conversation : last.Later = conversation;
        last = conversation;
        conversation.IsListed = true;
    }

    /// <summary>Its response is over.</summary>
    public void Remove(SqlConversation conversation)
    {
        if (!conversation.IsListed)
        {
            return;
        }

        _ = conversation.Earlier is null ? First = conversation.Later : conversation.Earlier.Later = conversation.Later;
        _ = conversation.Later is null ? last = conversation.Earlier : conversation.Later.Earlier = conversation.Earlier;
        conversation.Earlier = conversation.Later = null;
        conversation.IsListed = false;
    }
}

using System.Collections.Frozen;

namespace Beyla.Agent.Spans.Routes;

/// <summary>
/// Words that interfaces over HTTP are made of, in lower case. The list is short on purpose: it holds what many APIs share, not the
/// resources of one. Case of letters does not count. Lookups allocate nothing.
/// </summary>
internal static class ApiWords
{
    private const int Longest = 32;

    // Said behind the name of a collection without being one of its items.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Known = Set("""
        about accept access account accounts action actions activate active activity add admin all analytics apply approve archive
        archived assets assign assignees attachments audit auth authorize autocomplete available avatar balance batch billing block blocks
        branches bulk cancel capture categories changes channels charts check checks children clear clone close collaborators comments
        commits compare complete completed config configuration confirm contents contributors convert copy count create current
        dashboard data deactivate delete deliveries dependencies deployments describe details detach diff disable discover
        dismiss docs download downloads draft drafts duplicate edit embed enable entries estimate events execute exists expire expired
        explain explore export failed favorites features feed fields files filter filters finalize find flush followers following forks
        form forms generate get graph grant groups health healthz help history hooks home html id image images import inbox index info
        init install invitations invite invoices issues items join json keys labels languages last latest leave limits link links list
        live lock log login logout logs lookup mapping mappings mark me members memberships merge messages metadata metrics milestones
        move name names new next notes notifications open options order orders overview owner owners pages password pause payments pending
        permissions photos ping play players playlists plan plans popular posts preferences prepare preview previous private process
        profile projects properties protection public publish pull purge query queue random rate ratings read ready recent recipients
        recommendations redirect refresh refund refunds register registration reject related release releases reload remove rename
        reopen reply replies report reports repos request requests reset resolve resources restart restore results resume retry revert
        reviews revoke roles rollback root rotate routes rules run runs save scale schema scroll search secret secrets security self send
        series session sessions settings setup share shared shares signin signout signup slots sort spec stars start starred state stats
        statistics status statuses stop stream submit subscribe subscribers subscription subscriptions suggest suggestions summary
        suspend sync system tags tasks team teams template templates test timeline token tokens top topics track tracks trash trees
        trending trigger types unarchive unblock unlock unsubscribe unread update upload uploads usage user users validate values verify
        version versions view views void vote votes watch watchers webhooks week workflow workflows write xml year
        """);

    // With one of these in front, several words are an action: bulk-delete, update_many, generateIds.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Verbs = Set("""
        accept activate add apply approve archive assign batch bulk calculate cancel capture change check clear close complete compute
        confirm convert copy count create deactivate delete detach disable dismiss download edit enable execute export fetch find generate
        get import init install invite join list lock lookup mark merge move pause preview publish pull purge push query read refresh
        register reject remove rename replace request reset resend resolve restart restore resume retry revoke rotate run save search send
        set share start stop submit subscribe suspend sync test transfer trigger unlock update upload validate verify
        """);

    // Plural in form, and yet a place and no collection: what stands behind it is a word.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> NoCollections = Set("""
        access address alerts-as analytics apis apps-script assets business class cross css details docs dns economics express graphics
        https ios js kubernetes ldap less limits logistics metrics news ops options os oss pass pos preferences press process progress
        redis rss sales saas savings settings sms sns sources sqs statics statistics stats status success tools tos totals
        tps us vps wss xss
        """);

    // Plural without an s at the end.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Irregular = Set("people children media following");

    // What a bare number behind is the version of.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> BeforeVersions =
        Set("api apis rest version agile public internal");

    // Digits are a part of these.
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> WithDigits = Set("""
        2fa 3d a11y base64 crc32 ec2 es256 fido2 geo2 h264 h265 http2 http3 html5 i18n ipv4 ipv6 ip4 ip6 k8s l10n log4j mp3 mp4 md5 n8n
        neo4j oauth1 oauth2 oidc2 p2p pm25 route53 s2s s3 saml2 sha1 sha256 sha512 t5 utf8 utf16 u2f web2 web3 x509 b2b b2c e2e m2m
        d3 auth0 c4 sse2 ws2 scim2
        """);

    /// <summary>Whether a segment is made of known words alone, one or several, or is an action on something.</summary>
    public static bool IsKnown(ReadOnlySpan<byte> segment)
    {
        if (Contains(Known, segment))
        {
            return true;
        }

        var first = segment.IndexOfAnyExceptInRange((byte)'a', (byte)'z');
        if (first > 0 && Contains(Verbs, segment[..first]))
        {
            return true;
        }

        if (!segment.ContainsAny("-_.:"u8))
        {
            return false;
        }

        foreach (var range in segment.SplitAny("-_.:"u8))
        {
            if (!Contains(Known, segment[range]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether a segment names many things of a kind: <c>users</c>, <c>payment_intents</c>, <c>PhoneNumbers</c>.</summary>
    public static bool IsCollection(ReadOnlySpan<byte> segment)
    {
        var last = segment[(segment.LastIndexOfAny("-_.:"u8) + 1)..];
        if (last.Length < 3)
        {
            return false;
        }

        // status, address, analysis: no plural.
        var isPlural = (last[^1] | 0x20) == 's' && (last[^2] | 0x20) is not ('s' or 'u' or 'i');
        return isPlural ? !Contains(NoCollections, last) : Contains(Irregular, last);
    }

    /// <summary>Whether a short number behind the segment is the version of an API.</summary>
    public static bool IsBeforeVersion(ReadOnlySpan<byte> segment) => Contains(BeforeVersions, segment);

    /// <summary>Whether a part with digits is a word.</summary>
    public static bool HasDigits(ReadOnlySpan<byte> part) => Contains(WithDigits, part) || IsVersionMark(part);

    /// <summary>The version inside a segment: users-v2.</summary>
    private static bool IsVersionMark(ReadOnlySpan<byte> part) =>
        part.Length is 2 or 3 && (part[0] | 0x20) == 'v' && !part[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9');

    private static bool Contains(in FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> words, ReadOnlySpan<byte> text)
    {
        if (text.Length is 0 or > Longest)
        {
            return false;
        }

        Span<char> lower = stackalloc char[Longest];
        for (var i = 0; i < text.Length; i++)
        {
            lower[i] = char.ToLowerInvariant((char)text[i]);
        }

        return words.Contains(lower[..text.Length]);
    }

    private static FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Set(string words) =>
        words.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
}

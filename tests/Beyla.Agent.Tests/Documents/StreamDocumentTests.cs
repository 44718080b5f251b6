using System.Numerics;
using Beyla.Agent.Spans;

namespace Beyla.Agent.Tests.Documents;

/// <summary>The table of attributes: in docs/stream.md, and true to itself.</summary>
public class StreamDocumentTests
{
    [Fact]
    public void The_page_has_the_table() => Page.IsMade("stream.md", StreamDocument.Write);

    [Fact]
    public void Each_attribute_has_its_row_in_its_place()
    {
        Assert.Equal(Enum.GetValues<SpanAttribute>(), SpanAttributes.All.Select(static row => row.Attribute));
        Assert.InRange(SpanAttributes.Count, 1, 64); // bits of the masks
        Assert.Equal(SpanAttributes.Count, SpanAttributes.All.Select(static row => row.Name).Distinct().Count());
        Assert.Equal(3, SpanAttributes.Count - BitOperations.PopCount(SpanAttributes.OutsideEnvelope));
        Assert.All(SpanAttributes.All, static row => Assert.True(row.IsNumber ? row.Limit == 0 : row.Limit > 0, row.Name));
        Assert.All(SpanAttributes.All, static row => Assert.Equal(row.Attribute, SpanAttributes.Find(row.Name.ToUpperInvariant())));
        Assert.Null(SpanAttributes.Find("db.query"));
    }

    [Fact]
    public void A_line_has_room_for_all_of_them()
    {
        // Each text may exceed its limit by the mark of a cut; names, marks and numbers of a span take less than 2 KiB.
        var texts = SpanAttributes.All.Sum(static row => row.Limit + Agent.Export.Escape.MarkLength)
            + SpanLimits.Executable + 2 * SpanLimits.ServiceName;
        Assert.InRange(texts + 2048, 0, SpanLimits.Line);
        Assert.InRange(SpanAttributes.All.Sum(static row => row.Limit), 0, SpanValues.MaxText);
    }

    /// <summary>The fields of version 1, as its page had them; the last one is newer.</summary>
    [Fact]
    public void Short_names_are_those_of_version_1() => Assert.Equal(
        [
            "name", "errorType", "method", "path", "query", "status", "host", "protocolVersion", "requestBodyLength", "responseBodyLength",
            "traceState",
        ],
        SpanAttributes.All.Where(static row => row.ShortName is not null).Select(static row => row.ShortName));

    /// <summary>The names in the registry of the semantic conventions 1.44, which has none for a guess; the last one is W3C's.</summary>
    [Fact]
    public void Names_are_those_of_the_conventions() => Assert.Equal(
        [
            "name", "error.type", "http.request.method", "url.path", "url.query", "http.response.status_code", "http.request.header.host",
            "network.protocol.version", "http.request.body.size", "http.response.body.size", "http.route", "url.template",
            "db.system.name", "db.namespace", "db.query.summary", "db.query.text", "db.operation.name", "db.collection.name",
            "db.operation.batch.size",
            "db.stored_procedure.name", "db.response.status_code", "db.response.returned_rows", "beyla.guess", "tracestate",
        ],
        SpanAttributes.All.Select(static row => row.Name));

    [Fact]
    public void Values_have_the_type_of_the_table()
    {
        var values = new SpanValues();
        Assert.Throws<ArgumentException>(() => values.Add(SpanAttribute.UrlPath, 1));
        Assert.Throws<ArgumentException>(() => values.Add(SpanAttribute.HttpResponseStatusCode, "200"u8));
        values.Add(SpanAttribute.UrlPath, "/a"u8);
        values.Add(SpanAttribute.HttpResponseStatusCode, 200);
        values.Add(SpanAttribute.UrlPath, "/ab"u8);
        Assert.Equal(2, values.Count);
        Assert.Equal("/ab"u8, values.Text(SpanAttribute.UrlPath));
        values.Add(SpanAttribute.UrlPath, ""u8);
        Assert.False(values.Has(SpanAttribute.UrlPath));
    }
}

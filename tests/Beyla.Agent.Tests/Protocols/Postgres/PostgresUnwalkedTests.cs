using Beyla.Agent.Kernel;
using Beyla.Agent.Protocols.Postgres;
using Beyla.Agent.Tests.Tracing;
using Beyla.Agent.Tracing;
using static Beyla.Agent.Tests.Protocols.Postgres.PostgresWire;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>
/// Operations whose frames the kernel side could not follow to the end: what lies there is unknown, unlike what it leaves out on purpose. A
/// request in there has no span, and its response is nobody's; the next frame that is one for certain is where reading goes on.
/// </summary>
public class PostgresUnwalkedTests
{
    private readonly PostgresRig spans = new();
    private readonly PostgresProtocol postgres;
    private readonly Tracer tracer;
    private readonly Wire wire;

    public PostgresUnwalkedTests()
    {
        postgres = new PostgresProtocol(new PostgresOptions(), spans, spans.Buffers);
        tracer = new Tracer(new TracerOptions(), postgres);
        wire = new Wire(tracer) { Flags = SocketEventFlags.Fresh, Named = ProtocolId.Postgres };
        Client(StartUp("user", "app", "database", "shop"));
        Server(Welcome);
    }

    /// <summary>Rows that were left out on purpose: the response goes on behind them.</summary>
    [Fact]
    public void WhatIsLeftOutOnPurposeIsPassedOver()
    {
        Client(Query("select a"));
        byte[] end = [.. Complete("SELECT 20"), .. Ready()];
        Cut(SocketDirection.Send, RowDescription, Rows(20), end, unwalked: 0);
        Expect("Complete|shop|select a|||20");
        Assert.Null(postgres.CountUnseen());
    }

    /// <summary>A statement whose end is in there: the bytes are those of its rows, or of the response to the next one.</summary>
    [Fact]
    public void AResponseMayHaveEndedInThere()
    {
        Client([.. Query("select a"), .. Query("select b")]);
        byte[] hidden = [.. Rows(5), .. Complete("SELECT 5"), .. Ready(), .. RowDescription, .. Rows(7)];
        Cut(SocketDirection.Send, RowDescription, hidden, [], unwalked: (uint)hidden.Length);

        // Of the second one; the first must not get it.
        Server([.. Error("22012"), .. Ready()]);
        Client(Query("select c"));
        Server([.. Complete("SELECT 3"), .. Ready()]);
        Expect("Unfinished|shop|select a|||", "Unfinished|shop|select b|||", "Complete|shop|select c|||3");
    }

    [Fact]
    public void TheOnlyResponseGoesOnBehindIt()
    {
        Client(Query("select a"));
        Cut(SocketDirection.Send, RowDescription, Rows(30), [], unwalked: 200);
        Server([.. Row("x"), .. Error("22012"), .. Ready()]);
        Client(Query("select b"));
        Server([.. Complete("SELECT 3"), .. Ready()]);
        Expect("Complete|shop|select a|22012|22012|", "Complete|shop|select b|||3");
    }

    /// <summary>Of several statements up to one Sync it is not known whose response comes next.</summary>
    [Fact]
    public void AGroupOfStatementsIsNotPairedBehindIt()
    {
        byte[] first = [.. Parse("", "select a"), .. Bind("", ""), .. Execute("")];
        Client([.. first, .. Parse("", "select b"), .. Bind("", ""), .. Execute(""), .. Sync]);
        byte[] hidden = [.. Rows(9), .. Complete("SELECT 9"), .. ParseComplete, .. BindComplete];
        Cut(SocketDirection.Send, [.. ParseComplete, .. BindComplete], hidden, [], unwalked: (uint)hidden.Length);
        Server([.. Complete("SELECT 4"), .. Ready()]);
        Client(Query("select c"));
        Server([.. Complete("SELECT 3"), .. Ready()]);
        Expect("Unfinished|shop|select a|||", "Unfinished|shop|select b|||", "Complete|shop|select c|||3");
    }

    /// <summary>The last bytes tell the end of the only statement, whatever lies before them.</summary>
    [Fact]
    public void TheEndIsInTheTail()
    {
        Client(Query("select a"));
        byte[] hidden = Rows(30), end = [.. Complete("SELECT 30"), .. Ready()];
        Cut(SocketDirection.Send, RowDescription, hidden, end, unwalked: (uint)(hidden.Length + end.Length), isTail: true);
        Client(Query("select b"));
        Server([.. Complete("SELECT 3"), .. Ready()]);
        Expect("Complete|shop|select a|||30", "Complete|shop|select b|||3");
    }

    /// <summary>A pipeline of which the second half was not followed: the responses of that half are nobody's.</summary>
    [Fact]
    public void RequestsMayBeInThere()
    {
        byte[] hidden = [.. Query("select lost"), .. Query("select too")];
        Cut(SocketDirection.Receive, Query("select a"), hidden, [], unwalked: (uint)hidden.Length);
        Client(Query("select b"));
        Server([.. Complete("SELECT 1"), .. Ready(), .. Error("22012"), .. Ready(), .. Error("23505"), .. Ready()]);
        Server([.. Complete("SELECT 2"), .. Ready()]);
        Client(Query("select c"));
        Server([.. Complete("SELECT 3"), .. Ready()]);
        Expect("Complete|shop|select a|||1", "Unfinished|shop|select b|||", "Complete|shop|select c|||3");
        Assert.Equal(hidden.Length, postgres.CountUnseen()!.Value.Lost);
    }

    /// <summary>The client waits for all of them: from then on it is known what belongs together.</summary>
    [Fact]
    public void AfterTheResponsesAllIsAsBefore()
    {
        byte[] hidden = [.. Query("select lost"), .. Query("select too")];
        Cut(SocketDirection.Receive, Query("select a"), hidden, [], unwalked: (uint)hidden.Length);
        Server([.. Complete("SELECT 1"), .. Ready(), .. Error("22012"), .. Ready(), .. Error("23505"), .. Ready()]);
        Client(Query("select b"));
        Server([.. Complete("SELECT 2"), .. Ready()]);
        Expect("Complete|shop|select a|||1", "Complete|shop|select b|||2");
    }

    /// <summary>What is in there may have given a name another statement.</summary>
    [Fact]
    public void NamesAreForgotten()
    {
        Client([.. Parse("p", "select a"), .. Sync]);
        Server([.. ParseComplete, .. Ready()]);
        byte[] hidden = [.. CloseStatement("p"), .. Parse("p", "select other"), .. Sync];
        Cut(SocketDirection.Receive, Flush, hidden, [], unwalked: (uint)hidden.Length);
        Server([.. CloseComplete, .. ParseComplete, .. Ready()]);
        Client([.. Bind("", "p"), .. Execute(""), .. Sync]);
        Server([.. BindComplete, .. Complete("SELECT 1"), .. Ready()]);
        Expect("Complete|shop||||1");
    }

    /// <summary>Behind it the kernel side guesses that a frame begins; one message alone is no proof of that.</summary>
    [Fact]
    public void AGuessOfTheKernelSideIsNoFrame()
    {
        Cut(SocketDirection.Receive, Flush, "anything"u8.ToArray(), [], unwalked: 8);

        // An Execute by its header, in the middle of what is no text.
        byte[] middle = [(byte)'E', 0, 0, 0, 20, 1, 2, 3, 4, 5, 6];
        wire.Pieces(SocketDirection.Receive, middle, (0, middle.Length, true));
        Server(Ready());
        Client(Query("select b"));
        Server([.. Complete("SELECT 2"), .. Ready()]);
        Expect("Complete|shop|select b|||2");
    }

    /// <summary>Data of COPY: the statement that they belong to ends with its response.</summary>
    [Fact]
    public void DataOfCopy()
    {
        Client(Query("copy t from stdin"));
        Server(Message('G', [0, 0, 0]));
        byte[] line = Message('d', "secret\tpayload\n"u8.ToArray()), hidden = [.. Enumerable.Repeat(line, 50).SelectMany(l => l)];
        Cut(SocketDirection.Receive, line, hidden, [], unwalked: (uint)hidden.Length);
        Client(Message('c', []));
        Server([.. Complete("COPY 51"), .. Ready()]);
        Client(Query("select b"));
        Server([.. Complete("SELECT 2"), .. Ready()]);
        Expect("Complete|shop|copy t from stdin|||", "Complete|shop|select b|||2");
    }

    /// <summary>Whatever the hidden bytes are cut to, the next statement of a client that waits gets its own response.</summary>
    [Fact]
    public void CutAnywhere()
    {
        byte[] group = [.. Parse("n", "select d"), .. Bind("", "n"), .. Execute(""), .. Sync];
        byte[] pipeline = [.. Query("select a"), .. Query("select b"), .. group];
        byte[] responses = [.. Complete("SELECT 1"), .. Ready(), .. Complete("SELECT 2"), .. Ready(), .. ParseComplete, .. BindComplete,
            .. Complete("SELECT 4"), .. Ready()];
        for (var cut = 1; cut < pipeline.Length; cut++)
        {
            spans.Spans.Clear();
            Cut(SocketDirection.Receive, pipeline[..cut], pipeline[cut..], [], unwalked: (uint)(pipeline.Length - cut));
            Server(responses);
            Client(Query("select z"));
            Server([.. Complete("SELECT 26"), .. Ready()]);
            Assert.Equal("Complete|shop|select z|||26", spans.Spans[^1]);
            foreach (var span in spans.Spans.Select(span => span.Split('|')))
            {
                // A statement that was cut has the text that was seen; rows tell whose response it got.
                var whole = span[5] switch { "1" => "select a", "2" => "select b", "4" => "select d", "26" => "select z", _ => "select" };
                Assert.StartsWith(span[2].TrimEnd('?').TrimEnd(), whole, StringComparison.Ordinal);
            }
        }
    }

    private static byte[] Rows(int count) => [.. Enumerable.Repeat(Row("value"), count).SelectMany(row => row)];

    private void Client(byte[] data) => wire.Data(SocketDirection.Receive, data);

    private void Server(byte[] data) => wire.Data(SocketDirection.Send, data);

    /// <summary>An operation of which the middle was not captured.</summary>
    private void Cut(SocketDirection direction, byte[] first, byte[] hidden, byte[] last, uint unwalked, bool isTail = false)
    {
        wire.Unwalked = unwalked;
        byte[] data = [.. first, .. hidden, .. last];
        if (last.Length == 0)
        {
            wire.Pieces(direction, data, (0, first.Length, true));
        }
        else
        {
            wire.Pieces(direction, data, (0, first.Length, true), (hidden.Length, last.Length, !isTail));
        }

        wire.Unwalked = 0;
    }

    private void Expect(params string[] expected)
    {
        wire.Close();
        Assert.Equal(expected, spans.Spans);
        Assert.Equal(0, spans.Buffers.Outstanding);
        Assert.All(tracer.Count(), place => Assert.True(place.Balanced, place.ToString()));
    }
}

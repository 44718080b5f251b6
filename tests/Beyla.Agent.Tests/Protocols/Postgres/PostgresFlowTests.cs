using static Beyla.Agent.Tests.Protocols.Postgres.PostgresWire;

namespace Beyla.Agent.Tests.Protocols.Postgres;

/// <summary>What the manual, "Message Flow", says of the order of messages, where no recording shows it.</summary>
public class PostgresFlowTests
{
    private readonly PostgresRig rig = new();

    public PostgresFlowTests()
    {
        rig.Client(StartUp("user", "app", "database", "shop"));
        rig.Server(Welcome);
    }

    /// <summary>OpenTelemetry conventions: the summary is the name; operation and table are those of a single statement.</summary>
    [Theory]
    [InlineData("select a from t where b = 1", "select t", "select", "t", "")]
    [InlineData("UPDATE shop.orders SET a = 'x'", "UPDATE shop.orders", "UPDATE", "shop.orders", "")]
    [InlineData("commit", "commit", "commit", "", "")]
    [InlineData("select 1; select a from t", "select select t", "", "", "")]
    [InlineData("", "postgresql", "", "", "")]
    public void NameOperationAndTable(string sql, string name, string operation, string collection, string procedure)
    {
        rig.Client(Query(sql));
        rig.Server([.. Complete("SELECT 1"), .. Ready()]);
        rig.Close();
        Assert.Equal([(name, operation, collection, procedure)], rig.Names);
    }

    [Fact]
    public void PortalThenStatement()
    {
        // A client of another order would show the text of "cursor".
        rig.Client([.. Parse("stmt", "select a from t"), .. Parse("cursor", "select b from u"), .. Bind("cursor", "stmt"),
            .. Execute("cursor"), .. Sync]);
        rig.Server([.. ParseComplete, .. ParseComplete, .. BindComplete, .. Complete("SELECT 0"), .. Ready()]);
        Expect("Complete|shop|select a from t|||0");
    }

    [Fact]
    public void RowsInPortions()
    {
        rig.Client([.. Parse("", "select a from t"), .. Bind("C_1", ""), .. Execute("C_1", 2), .. Sync]);
        rig.Server([.. ParseComplete, .. BindComplete, .. Row("1"), .. Row("2"), .. Suspended, .. Ready('T')]);
        rig.Client([.. Execute("C_1", 2), .. Sync]);
        rig.Server([.. Row("3"), .. Complete("SELECT 1"), .. Ready()]);
        Expect("Complete|shop|select a from t|||", "Complete|shop|select a from t|||1");
        Assert.True(rig.Times[1].Start > rig.Times[0].End);
    }

    [Fact]
    public void TheUnnamedStatementIsOverwritten()
    {
        rig.Client([.. Parse("", "select a"), .. Bind("", ""), .. Parse("", "select b"), .. Execute(""), .. Bind("", ""), .. Execute(""),
            .. Sync]);
        rig.Server([.. ParseComplete, .. BindComplete, .. ParseComplete, .. Complete("SELECT 1"), .. BindComplete, .. Complete("SELECT 1"),
            .. Ready()]);
        Expect("Complete|shop|select a|||1", "Complete|shop|select b|||1");
    }

    [Fact]
    public void AClosedStatementHasNoText()
    {
        Prepare("p", "select a");
        rig.Client([.. CloseStatement("p"), .. Sync]);
        rig.Server([.. CloseComplete, .. Ready()]);
        Run("p", Error("26000"));
        Expect("Complete|shop||26000|26000|");
    }

    [Fact]
    public void AClosedPortalHasNoText()
    {
        Prepare("p", "select a");
        rig.Client([.. Bind("c", "p"), .. ClosePortal("c"), .. Execute("c"), .. Sync]);
        rig.Server([.. BindComplete, .. CloseComplete, .. Error("34000"), .. Ready()]);
        Expect("Complete|shop||34000|34000|");
    }

    [Fact]
    public void ARejectedStatementIsNotPrepared()
    {
        // The second Parse is passed over by the server: the name means nothing, and a later Execute must not show that text.
        rig.Client([.. Parse("a", "selec"), .. Parse("b", "select b"), .. Sync]);
        rig.Server([.. Error("42601"), .. Ready()]);
        Run("b", Error("26000"));
        Assert.Equal("Complete|shop||26000|26000|", rig.Spans[^1]);
    }

    [Fact]
    public void AnotherConnectionsStatementIsNotShown()
    {
        Prepare("p", "select a");
        rig.Close();
        rig.IsFresh = false;
        Run("p", Complete("SELECT 1"));
        Expect("Complete|||||1");
    }

    [Theory]
    [InlineData("DEALLOCATE p", "DEALLOCATE")]
    [InlineData("deallocate prepare P", "DEALLOCATE")]
    [InlineData("DEALLOCATE ALL", "DEALLOCATE ALL")]
    [InlineData("discard all", "DISCARD ALL")]
    [InlineData("select 1; deallocate p", "DEALLOCATE")]
    [InlineData("/* x */ deallocate \"p\";", "DEALLOCATE")]
    public void DeallocatedInSql(string sql, string tag)
    {
        Prepare("p", "select a");
        rig.Client(Query(sql));
        rig.Server([.. Complete(tag), .. Ready()]);
        Run("p", Error("26000"));
        Assert.Equal("Complete|shop||26000|26000|", rig.Spans[^1]);
    }

    [Theory]
    [InlineData("deallocate q", "DEALLOCATE")]
    [InlineData("deallocate \"P\"", "DEALLOCATE")]
    [InlineData("discard temp", "DISCARD TEMP")]
    [InlineData("rollback", "ROLLBACK")]
    public void OthersStayPrepared(string sql, string tag)
    {
        Prepare("p", "select a");
        rig.Client(Query(sql));
        rig.Server([.. Complete(tag), .. Ready()]);
        Run("p", Complete("SELECT 1"));
        Assert.Equal("Complete|shop|select a|||1", rig.Spans[^1]);
    }

    [Fact]
    public void AFailedDeallocateLeavesItPrepared()
    {
        Prepare("p", "select a");
        rig.Client(Query("deallocate p"));
        rig.Server([.. Error("25P02"), .. Ready('E')]);
        Run("p", Complete("SELECT 1"));
        Assert.Equal("Complete|shop|select a|||1", rig.Spans[^1]);
    }

    [Fact]
    public void ErrorBeforeTheExecuteWasSent()
    {
        rig.Client(Parse("", "select nothing"));
        rig.Client(Flush);
        rig.Server(Error("42703"));
        rig.Client([.. Bind("", ""), .. Execute(""), .. Execute(""), .. Sync]);
        rig.Server(Ready());
        Expect("Complete|shop||42703|42703|", "Complete|shop|||pipeline_aborted|");
    }

    [Fact]
    public void AsynchronousMessagesRespondToNothing()
    {
        rig.Client(Query("select a"));
        rig.Server([.. Notice, .. Message('A', [0, 0, 0, 1, (byte)'c', 0, (byte)'p', 0]), .. Message('S', [(byte)'a', 0, (byte)'b', 0])]);
        rig.Client(Query("select b"));
        rig.Server([.. Complete("SELECT 1"), .. Ready(), .. Notice, .. Complete("SELECT 2"), .. Ready()]);
        rig.Server(Message('A', [0, 0, 0, 1, (byte)'c', 0, (byte)'p', 0]));
        Expect("Complete|shop|select a|||1", "Complete|shop|select b|||2");
    }

    [Fact]
    public void AWarningIsNoError()
    {
        rig.Client(Query("select a"));
        rig.Server([.. Error("01000"), .. Ready()]);
        Expect("Complete|shop|select a|01000||");
    }

    [Fact]
    public void TheConnectionEndsBeforeTheResponse()
    {
        rig.Client([.. Query("select a"), .. Query("select b")]);
        rig.Server([.. RowDescription, .. Row("1")]);
        rig.Close();
        Expect("Closed|shop|select a||connection_closed|", "Closed|shop|select b||connection_closed|");
    }

    [Fact]
    public void ResponsesOfTwoGroupsUnderWay()
    {
        rig.Client([.. Parse("", "select a"), .. Bind("", ""), .. Describe(""), .. Execute(""), .. Sync]);
        rig.Client([.. Parse("", "select b"), .. Bind("", ""), .. Execute(""), .. Parse("", "select c"), .. Bind("", ""), .. Execute(""),
            .. Sync]);
        rig.Client(Query("select d"));
        rig.Server([.. ParseComplete, .. BindComplete, .. RowDescription, .. Row("1"), .. Complete("SELECT 1"), .. Ready()]);
        rig.Server(ParseComplete);
        rig.Server([.. Error("22012"), .. Ready(), .. Complete("SELECT 4"), .. Ready()]);
        Expect("Complete|shop|select a|||1", "Complete|shop|select b|22012|22012|", "Complete|shop|select c||pipeline_aborted|",
            "Complete|shop|select d|||4");
    }

    [Fact]
    public void StartIsThatOfParseAndEndThatOfTheOwnResponse()
    {
        rig.Time = 5000;
        rig.Client(Parse("", "select a"));
        rig.Client(Bind("", ""));
        rig.Client([.. Execute(""), .. Parse("", "select b"), .. Bind("", "")]);
        rig.Client([.. Execute(""), .. Sync]);
        rig.Server([.. ParseComplete, .. BindComplete, .. Complete("SELECT 1")]);
        rig.Server([.. ParseComplete, .. BindComplete, .. Complete("SELECT 1"), .. Ready()]);
        Assert.Equal([(5010, 5030, 5050), (5030, 5040, 5060)], rig.Times);
    }

    [Fact]
    public void AFullPipelineIsCountedAndPassedOver()
    {
        var small = new PostgresRig(true, new() { Ledger = new() { MaxPipelined = 2 } });
        small.Client(StartUp("user", "app"));
        small.Server(Welcome);
        for (var i = 0; i < 5000; i++)
        {
            small.Client([.. Parse("", $"select a{i}"), .. Bind("", ""), .. Execute("")]);
        }

        small.Client(Sync);
        for (var i = 0; i < 5000; i++)
        {
            small.Server([.. ParseComplete, .. BindComplete, .. Complete("SELECT 1")]);
        }

        small.Server(Ready());
        small.Client(Query("select z"));
        small.Server([.. Complete("SELECT 3"), .. Ready()]);
        small.Close();
        Assert.Equal(["Complete|app|select a0|||1", "Complete|app|select a1|||1", "Complete|app|select z|||3"], small.Spans);
        Assert.Equal(4998, small.Protocol.Count().Lost);
        small.AssertSettled();
    }

    [Fact]
    public void ATextLongerThanItsLimitIsCut()
    {
        rig.Client(Query("select '" + new string('x', 100_000) + "' from t"));
        rig.Server([.. Complete("SELECT 1"), .. Ready()]);
        var columns = string.Join(", ", Enumerable.Range(0, 2000).Select(i => $"column{i}"));
        rig.Client(Query($"select {columns} from t"));
        rig.Server([.. Complete("SELECT 1"), .. Ready()]);
        Assert.Equal(2, rig.Spans.Count);
        Assert.Equal("Complete|shop|select ?|||1", rig.Spans[0]);
        Assert.StartsWith("Complete|shop|select column0, column1, ", rig.Spans[1], StringComparison.Ordinal);
        Assert.InRange(rig.Spans[1].Length, 4000, 4096 + 32);
    }

    [Fact]
    public void ATimeoutIsReportedOnceAndALateResponseFindsItsPlace()
    {
        var timed = new PostgresRig(true, new() { Ledger = new() { RequestTimeout = TimeSpan.FromMilliseconds(1) } });
        timed.Client(StartUp("user", "app"));
        timed.Server(Welcome);
        timed.Client(Query("select a"));
        timed.Tick(timed.Time + 2_000_000);
        timed.Client(Query("select b"));
        timed.Server([.. Complete("SELECT 1"), .. Ready(), .. Complete("SELECT 2"), .. Ready()]);
        timed.Close();
        Assert.Equal(["TimedOut|app|select a||timeout|", "Complete|app|select b|||2"], timed.Spans);
        timed.AssertSettled();
    }

    private void Prepare(string name, string sql)
    {
        rig.Client([.. Parse(name, sql), .. Sync]);
        rig.Server([.. ParseComplete, .. Ready()]);
    }

    private void Run(string name, byte[] response)
    {
        rig.Client([.. Bind("", name), .. Execute(""), .. Sync]);
        rig.Server([.. BindComplete, .. response, .. Ready()]);
    }

    private void Expect(params string[] spans)
    {
        rig.Close();
        Assert.Equal(spans, rig.Spans);
        rig.AssertSettled();
    }
}

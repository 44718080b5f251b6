using Beyla.Agent.Protocols.Sql;

namespace Beyla.Agent.Tests.Protocols.Sql;

/// <summary>Operations and targets by the grammar of the servers (PostgreSQL's manual, part VI, SQL commands).</summary>
public class SqlSummaryTests
{
    [Theory]
    [InlineData("select * from a left join b using (x), c natural join only d where e in (select f from g) order by 1, 2",
        "select a b c d select g")]
    [InlineData("SELECT * FROM public.\"My Table\" AS t, lateral f(t.x) g, (a JOIN b ON a.x = b.x), (VALUES (1), (2)) v (y), u",
        "SELECT public.\"My Table\" f a b u")]
    [InlineData("SELECT extract(year FROM d), substring(s from 2), trim(both from t), x IS DISTINCT FROM y FROM real", "SELECT real")]
    [InlineData("(SELECT a FROM b) UNION ALL SELECT c FROM d EXCEPT (SELECT e FROM f)", "SELECT b SELECT d SELECT f")]
    [InlineData("SELECT a FROM b WHERE c FOR UPDATE OF b, d", "SELECT b")]
    [InlineData("SELECT a INTO TEMP TABLE n FROM b", "SELECT n b")]
    [InlineData(
        "WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t), u AS MATERIALIZED (SELECT * FROM a) SELECT * FROM T, u, b",
        "SELECT SELECT a SELECT b")]
    [InlineData("WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO log SELECT * FROM gone", "DELETE a INSERT log SELECT")]
    [InlineData("INSERT INTO a (b, c) VALUES (1, 2) ON CONFLICT (b) DO UPDATE SET c = excluded.c", "INSERT a")]
    [InlineData("UPDATE ONLY a SET b = (SELECT max(c) FROM d), e = 1 FROM f WHERE a.x = f.x", "UPDATE a SELECT d f")]
    [InlineData("DELETE FROM a USING b, c WHERE a.x = b.x", "DELETE a b c")]
    [InlineData(
        "MERGE INTO a USING (SELECT * FROM b) s ON s.x = a.x WHEN MATCHED THEN UPDATE SET y = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)",
        "MERGE a SELECT b")]
    [InlineData("MERGE INTO a USING b ON b.x = a.x WHEN MATCHED THEN DELETE", "MERGE a b")]
    [InlineData("COPY a (b, c) FROM STDIN WITH (FORMAT csv)", "COPY a")]
    [InlineData("COPY (SELECT * FROM a) TO STDOUT", "COPY SELECT a")]
    [InlineData("TRUNCATE TABLE ONLY a, b CASCADE", "TRUNCATE TABLE a b")]
    [InlineData("TABLE a", "TABLE a")]
    [InlineData("VALUES (1, 'x')", "VALUES")]
    [InlineData("CALL s.p(1, 'x')", "CALL s.p")]
    [InlineData("SET LOCAL search_path TO secret, public", "SET search_path")]
    [InlineData("SET SESSION TIME ZONE 'UTC'", "SET TIME ZONE")]
    [InlineData("SET app.user = 'x'", "SET app.user")]
    [InlineData("SHOW server_version", "SHOW server_version")]
    [InlineData("RESET ALL", "RESET ALL")]
    [InlineData("BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN")]
    [InlineData("START TRANSACTION READ ONLY", "START TRANSACTION")]
    [InlineData("COMMIT", "COMMIT")]
    [InlineData("ROLLBACK TO SAVEPOINT sp_123", "ROLLBACK")]
    [InlineData("SAVEPOINT sp_123", "SAVEPOINT")]
    [InlineData("EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM a", "EXPLAIN SELECT a")]
    [InlineData("EXPLAIN ANALYZE VERBOSE UPDATE a SET b = 1", "EXPLAIN ANALYZE UPDATE a")]
    [InlineData("CREATE TEMP TABLE IF NOT EXISTS a AS SELECT * FROM b", "CREATE TABLE a SELECT b")]
    [InlineData("CREATE TABLE a (id int REFERENCES b (id) ON DELETE CASCADE, c text DEFAULT 'x')", "CREATE TABLE a")]
    [InlineData("CREATE UNIQUE INDEX CONCURRENTLY i ON s.a (b)", "CREATE INDEX i s.a")]
    [InlineData("CREATE INDEX ON a (b)", "CREATE INDEX a")]
    [InlineData("CREATE OR REPLACE VIEW v AS WITH x AS (SELECT 1) SELECT * FROM x, a", "CREATE VIEW v SELECT SELECT a")]
    [InlineData("CREATE MATERIALIZED VIEW v AS SELECT * FROM a", "CREATE MATERIALIZED VIEW v SELECT a")]
    [InlineData("REFRESH MATERIALIZED VIEW CONCURRENTLY v", "REFRESH MATERIALIZED VIEW v")]
    [InlineData("CREATE TRIGGER t BEFORE INSERT OR UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f()", "CREATE TRIGGER t a")]
    [InlineData("CREATE POLICY p ON a FOR SELECT USING (b = 1)", "CREATE POLICY p a")]
    [InlineData("CREATE ROLE bob PASSWORD 'x'", "CREATE ROLE")]
    [InlineData("ALTER TABLE IF EXISTS ONLY a RENAME TO b", "ALTER TABLE a")]
    [InlineData("DROP TABLE IF EXISTS a, b CASCADE", "DROP TABLE a b")]
    [InlineData("GRANT SELECT, INSERT ON TABLE a TO bob", "GRANT a")]
    [InlineData("COMMENT ON COLUMN a.b IS 'x'", "COMMENT a.b")]
    [InlineData("DECLARE c NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM a", "DECLARE SELECT a")]
    [InlineData("FETCH FORWARD 100 FROM c", "FETCH")]
    [InlineData("LISTEN jobs", "LISTEN jobs")]
    [InlineData("NOTIFY jobs, 'x'", "NOTIFY jobs")]
    [InlineData("PREPARE p (int, text) AS INSERT INTO a VALUES ($1, $2)", "PREPARE INSERT a")]
    [InlineData("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION")]
    [InlineData("EXECUTE p (1, 'x')", "EXECUTE")]
    [InlineData("DEALLOCATE p", "DEALLOCATE")]
    [InlineData("VACUUM FULL VERBOSE a, b", "VACUUM a b")]
    [InlineData("ANALYZE a (b, c)", "ANALYZE a")]
    [InlineData("LOCK TABLE a IN ACCESS EXCLUSIVE MODE", "LOCK TABLE a")]
    [InlineData("/* why */ SELECT 1 FROM a -- FROM b", "SELECT a")]
    [InlineData("BEGIN; UPDATE a SET b = 1;; COMMIT;", "BEGIN UPDATE a COMMIT")]
    [InlineData("nonsense FROM a (SELECT b FROM c)", "")]
    [InlineData("SELECT 'x FROM y", "SELECT")]
    [InlineData("", "")]
    public void Postgres(string sql, string expected) => Assert.Equal(expected, Sql.Summary(sql));

    [Theory]
    [InlineData("INSERT IGNORE INTO `a b` SET c = 1 ON DUPLICATE KEY UPDATE c = 2", "INSERT `a b`")]
    [InlineData("REPLACE INTO a VALUES (1)", "REPLACE a")]
    [InlineData("SELECT REPLACE(x, 'a', 'b') FROM a STRAIGHT_JOIN b", "SELECT a b")]
    [InlineData("SHOW FULL COLUMNS FROM a", "SHOW COLUMNS")]
    [InlineData("USE shop", "USE shop")]
    [InlineData("SELECT a FROM \"b\"", "SELECT")]
    public void MySql(string sql, string expected) => Assert.Equal(expected, Sql.Summary(sql, SqlDialect.MySql));

    [Theory]
    [InlineData("SELECT TOP (1) * FROM [dbo].[Order Details] WITH (NOLOCK) CROSS APPLY f(x)",
        "SELECT [dbo].[Order Details] f")]
    [InlineData("SELECT * FROM shop..orders, #t, @v", "SELECT shop..orders #t")]
    [InlineData("SET NOCOUNT ON; EXEC @rc = dbo.p @x = 1", "SET NOCOUNT EXEC dbo.p")]
    [InlineData("UPDATE a SET b = 1 SELECT @@ROWCOUNT", "UPDATE a SELECT")]
    public void SqlServer(string sql, string expected) => Assert.Equal(expected, Sql.Summary(sql, SqlDialect.SqlServer));

    [Fact]
    public void Facts()
    {
        Assert.Equal(("CREATE TABLE a SELECT b", "CREATE", "a", "", 1), Sql.Facts("CREATE TABLE a AS SELECT * FROM b"));
        Assert.Equal(("CALL s.p", "CALL", "", "s.p", 1), Sql.Facts("CALL s.p()"));
        Assert.Equal(("BEGIN SELECT a COMMIT", "BEGIN", "a", "", 3), Sql.Facts(";BEGIN; SELECT 1 FROM a; ; COMMIT;"));
        Assert.Equal(("SET x", "SET", "", "", 1), Sql.Facts("SET x = 1"));
        Assert.Equal(("", "", "", "", 0), Sql.Facts(" ; -- nothing\n"));
    }

    [Fact]
    public void AWordAtTheEndOfACutTextIsLeftOut()
    {
        Assert.Equal("SELECT", Sql.Summary("SELECT a FROM custo", isCut: true));
        Assert.Equal("SELECT", Sql.Summary("SELECT a FROM shop.custo", isCut: true));
        Assert.Equal("SELECT shop.custo", Sql.Summary("SELECT a FROM shop.custo ", isCut: true));
    }

    [Fact]
    public void CutBetweenWords()
    {
        var tables = Enumerable.Range(0, 40).Select(i => $"table_{i:d3}").ToArray();
        var summary = Sql.Summary($"SELECT * FROM {string.Join(", ", tables)}");
        Assert.Equal("SELECT " + string.Join(' ', tables.Take(24)), summary);
        Assert.Equal("SELECT", Sql.Summary($"SELECT * FROM {new string('a', 249)}, b"));
        Assert.Equal("SELECT " + new string('a', 248), Sql.Summary($"SELECT * FROM {new string('a', 248)}, b"));
        Assert.Equal("SELECT", Sql.Summary($"SELECT * FROM s.{new string('a', 247)}, b"));
    }

    [Fact]
    public void EachKeywordIsFoundInAnyCase()
    {
        foreach (var word in Enum.GetValues<SqlWord>().Where(w => w != SqlWord.None))
        {
            var name = word.ToString();
            name = name is "LowPriority" or "HighPriority" or "StraightJoin"
                ? name[0] + string.Concat(name.Skip(1).Select(c => char.IsUpper(c) ? "_" + c : c.ToString()))
                : name;
            Assert.Equal(word, SqlWords.Find(System.Text.Encoding.ASCII.GetBytes(name)));
            Assert.Equal(word, SqlWords.Find(System.Text.Encoding.ASCII.GetBytes(name.ToUpperInvariant())));
        }

        Assert.Equal(SqlWord.None, SqlWords.Find("selec"u8));
        Assert.Equal(SqlWord.None, SqlWords.Find("selekt"u8));
        Assert.Equal(SqlWord.None, SqlWords.Find("s_lect"u8));
    }
}

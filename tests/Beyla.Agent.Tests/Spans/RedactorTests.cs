using System.Text;
using Beyla.Agent.Configuration;
using Beyla.Agent.Export;
using Beyla.Agent.Spans;
using Beyla.Agent.Tests.Export;

namespace Beyla.Agent.Tests.Spans;

public class RedactorTests
{
    private static string Query(string query, int scratch = 1024) =>
        Encoding.Latin1.GetString(new Redactor(Samples.Sensitive).Query(Encoding.Latin1.GetBytes(query), new byte[scratch]));

    [Theory]
    [InlineData("", "")]
    [InlineData("a=1&b=2", "a=1&b=2")]
    [InlineData("token=abc", "token=***")]
    [InlineData("token=a", "token=***")]
    [InlineData("token=", "token=")]
    [InlineData("token", "token")]
    [InlineData("a=1&token=abc&b=2", "a=1&token=***&b=2")]
    [InlineData("token=abc;password=x&b", "token=***;password=***&b")]
    [InlineData("TOKEN=abc&ToKeN=x", "TOKEN=***&ToKeN=***")]
    [InlineData("x-amz-signature=abc", "x-amz-signature=***")]
    [InlineData("%74oken=abc", "%74oken=***")]
    [InlineData("%54%4f%4B%65%6e=abc", "%54%4f%4B%65%6e=***")]
    [InlineData("tok%65n%20=abc", "tok%65n%20=***")]
    [InlineData("+token=abc", "+token=***")]
    [InlineData("%2574oken=abc", "%2574oken=abc")]
    [InlineData("tokens=abc&atoken=b", "tokens=abc&atoken=b")]
    [InlineData("token=a=b=c", "token=***")]
    [InlineData("token=a%26b=c&d=1", "token=***&d=1")]
    [InlineData("user[password]=x&token[]=y", "user[password]=***&token[]=***")]
    [InlineData("user%5Bpassword%5D=x", "user%5Bpassword%5D=***")]
    [InlineData("password[0][a]=x", "password[0][a]=***")]
    [InlineData("a]=1&]=2&[]=3", "a]=1&]=2&[]=3")]
    [InlineData("%=1&%7=2&%zz=3&sig%=4", "%=1&%7=2&%zz=3&sig%=4")]
    [InlineData("&&token=x&&", "&&token=***&&")]
    [InlineData("=x&token=y", "=x&token=***")]
    public void Table(string query, string expected) => Assert.Equal(expected, Query(query));

    [Theory]
    [InlineData("x=1?token=abc", "x=1?token=***")]
    [InlineData("token=abc?def&x=1", "token=***&x=1")]
    [InlineData("?token=abc", "?token=***")]
    [InlineData("x#access_token=abc/d?e&state=1", "x#access_token=***&state=1")]
    [InlineData("x=1#token=abc", "x=1#token=***")]
    [InlineData("next=token=abc", "next=token=***")]
    [InlineData("passwd=a&authorization=Basic%20b&code=c&zipcode=1", "passwd=***&authorization=***&code=***&zipcode=1")]
    public void NamesThatBeginAtOtherMarks(string query, string expected) => Assert.Equal(
        expected,
        Encoding.Latin1.GetString(new Redactor(SensitiveQueryParameters.Default).Query(Encoding.Latin1.GetBytes(query), new byte[1024])));

    [Theory]
    [InlineData("/a/b", "/a/b")]
    [InlineData("/a=b;c=d/e", "/a=b;c=d/e")]
    [InlineData("/p;token=abc", "/p;token=***")]
    [InlineData("/p;a=1;token=abc;b=2/next;JSESSIONID=12", "/p;a=1;token=***;b=2/next;JSESSIONID=***")]
    [InlineData("/token=abc/next", "/token=***/next")]
    [InlineData("/a#access_token=abc/d&state=1", "/a#access_token=***&state=1")]
    [InlineData("/p;%74oken=a&b,c/d", "/p;%74oken=***/d")]
    [InlineData("//joe:x@host/p;token=abc", "//***@host/p;token=***")]
    public void Paths(string path, string expected) => Assert.Equal(
        expected, Encoding.Latin1.GetString(
            new Redactor(SensitiveQueryParameters.Default).Path(Encoding.Latin1.GetBytes(path), new byte[1024], new byte[1024])));

    [Fact]
    public void WhatDoesNotFitIsCutAndNeverShown()
    {
        for (var size = 0; size < 40; size++)
        {
            var path = new Redactor(Samples.Sensitive).Path("/a;token=secret/b;token=secret"u8, new byte[size], new byte[size]);
            Assert.DoesNotContain("secret", Encoding.Latin1.GetString(path), StringComparison.Ordinal);
        }

        for (var size = 0; size < 40; size++)
        {
            Assert.DoesNotContain("secret", Query("token=secret&a=1&password=secret", size), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EmptyListLeavesAllAsItIs()
    {
        var query = "token=abc"u8.ToArray();
        Assert.True(new Redactor(new HashSet<string>()).Query(query, new byte[64]).SequenceEqual(query));
    }

    [Theory]
    [InlineData("/a@b", "/a@b")]
    [InlineData("*", "*")]
    [InlineData("example.org:80", "example.org:80")]
    [InlineData("user:pass@example.org:80", "***@example.org:80")]
    [InlineData("http://user:pass@example.org/a@b", "http://***@example.org/a@b")]
    [InlineData("http://user:p@ss@example.org", "http://***@example.org")]
    [InlineData("http://example.org/x@y", "http://example.org/x@y")]
    [InlineData("http://example.org?x@y", "http://example.org?x@y")]
    public void UserInfo(string target, string expected) =>
        Assert.Equal(expected, Encoding.Latin1.GetString(Redactor.UserInfo(Encoding.Latin1.GetBytes(target), new byte[1024])));

    [Fact]
    public void BothFormatsAreRedactedEverywhere()
    {
        var span = Samples.Client.With(SpanAttribute.UrlQuery, "q=1&password=hunter2")
            .With(SpanAttribute.UrlPath, "http://joe:hunter2@api/x").With(SpanAttribute.HttpRequestHeaderHost, "joe:hunter2@api");
        foreach (var format in (ISpanFormat[])[new TextFormat(TimeText.Utc()), new JsonFormat(), new JsonFormat(indent: true)])
        {
            var line = Samples.Format(format, in span);
            Assert.DoesNotContain("hunter2", line, StringComparison.Ordinal);
            Assert.Contains("http://***@api/x", line, StringComparison.Ordinal);
        }
    }
}

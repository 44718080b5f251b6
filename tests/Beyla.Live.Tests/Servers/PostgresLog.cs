using System.Globalization;
using System.Text.RegularExpressions;

namespace Beyla.Live.Tests.Servers;

/// <summary>
/// What PostgreSQL says of itself: its log with <c>log_statement = all</c> and the prefix <c>%p %e </c> (process, SQLSTATE), one entry for
/// each query message and each Execute message that it ran (https://www.postgresql.org/docs/15/runtime-config-logging.html). A query
/// whose text cannot be parsed has no entry but its error.
/// </summary>
internal sealed partial class PostgresLog(IEnumerable<string> lines)
{
    /// <summary>Lines until now: the mark from which a test counts.</summary>
    public int Mark => lines.Count();

    public bool Contains(string text) => lines.Any(line => line.Contains(text, StringComparison.Ordinal));

    /// <summary>The texts of what was run since a mark, in order. Of a text of several lines the first one.</summary>
    public string[] Statements(int mark) => [.. lines.Skip(mark)
        .Select(line => Statement().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value)];

    /// <summary>The SQLSTATEs of the errors since a mark, in order.</summary>
    public string[] Errors(int mark) => [.. lines.Skip(mark)
        .Select(line => Error().Match(line)).Where(match => match.Success).Select(match => match.Groups[1].Value)];

    /// <summary>Processes that ran something since a mark: one for each connection.</summary>
    public int[] Backends(int mark) => [.. lines.Skip(mark)
        .Where(line => Statement().IsMatch(line))
        .Select(line => int.Parse(line.AsSpan(0, line.IndexOf(' ', StringComparison.Ordinal)), CultureInfo.InvariantCulture)).Distinct()];

    [GeneratedRegex(@"^\d+ \w{5} LOG:  (?:statement|execute [^:]*|fastpath function call): ?(.*)$")]
    private static partial Regex Statement();

    [GeneratedRegex(@"^\d+ (\w{5}) (?:ERROR|FATAL|PANIC):")]
    private static partial Regex Error();
}

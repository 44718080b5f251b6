namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// What <see cref="SqlSummary.Write"/> found. The ranges are places in the summary; an empty one: there is none, or it did not fit.
/// </summary>
/// <param name="Length">Bytes of the summary; 0: no command that is known.</param>
/// <param name="Operation">The first command.</param>
/// <param name="Collection">The first table.</param>
/// <param name="StoredProcedure">The first procedure that is called.</param>
/// <param name="StatementCount">How many statements the text has, the empty ones not counted.</param>
internal readonly record struct SqlFacts(int Length, Range Operation, Range Collection, Range StoredProcedure, int StatementCount);

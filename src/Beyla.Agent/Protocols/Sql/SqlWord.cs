namespace Beyla.Agent.Protocols.Sql;

/// <summary>
/// The keywords that matter here, in the order of <see cref="SqlWords"/>. Any other word is a name, or of no interest.
/// </summary>
internal enum SqlWord : byte
{
    /// <summary>Another word.</summary>
    None = 0,
#pragma warning disable CS1591, SA1602 // Each is the word that it says.

    // Commands that read and write tables.
    Select, Insert, Replace, Update, Delete, Merge, With, Values, Table, Copy, Truncate, Lock, Analyze, Vacuum, Cluster, Reindex,
    Refresh, Optimize, Describe, Desc,

    // Commands on objects, settings, procedures.
    Create, Alter, Drop, Rename, Comment, Grant, Revoke, Set, Show, Reset, Call, Exec, Execute, Use, Listen, Notify, Unlisten,
    Explain, Prepare, Declare,

    // Commands of which nothing but the word is told.
    Begin, Commit, Rollback, End, Abort, Savepoint, Release, Start, Discard, Checkpoint, Do, Load, Fetch, Move, Close, Deallocate,
    Reassign, Security, Import, Kill, Flush, Pragma, Attach, Detach, Print, Backup, Restore, Open, If, While,

    // Kinds of objects.
    Index, View, Sequence, Schema, Database, Role, User, Group, Login, Function, Procedure, Routine, Aggregate, Trigger, Type,
    Domain, Extension, Policy, Rule, Server, Publication, Subscription, Tablespace, Operator, Cast, Collation, Conversion, Language,
    System, Statistics, Column, Tables, Materialized, Foreign, Event, Constraint,

    // What stands before a name and is none.
    Or, Temp, Temporary, Global, Local, Unlogged, Unique, Recursive, Trusted, Procedural, Clustered, Nonclustered, Fulltext,
    Spatial, Concurrently, Exists, Only, Lateral, Into, Ignore, LowPriority, HighPriority, Delayed, Quick, Full, Freeze, Verbose,
    Binary, Session, Transaction, Time, Zone, Extended, Partitions, Query, Plan, Immediate, All,

    // What begins or ends a part of a statement.
    From, Join, StraightJoin, Apply, Cross, Outer, Using, Where, Having, Order, Limit, Union, Except, Intersect, Returning, Window,
    Offset, For, When, On, As, Distinct, Output, Outfile, Dumpfile,

    // What the text without literals asks for.
    In, Is, Not, True, False, Password, Identified, By,
#pragma warning restore CS1591, SA1602
}

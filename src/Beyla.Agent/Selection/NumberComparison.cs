namespace Beyla.Agent.Selection;

/// <summary>How a number is compared with another one, as <c>filter</c> names it.</summary>
public enum NumberOperator : byte
{
    /// <summary><c>equals</c>.</summary>
    Equals,

    /// <summary><c>not_equals</c>.</summary>
    NotEquals,

    /// <summary><c>greater_than</c>.</summary>
    GreaterThan,

    /// <summary><c>greater_equals</c>.</summary>
    GreaterEquals,

    /// <summary><c>less_than</c>.</summary>
    LessThan,

    /// <summary><c>less_equals</c>.</summary>
    LessEquals,
}

/// <summary>A comparison with a number.</summary>
/// <param name="Operator">How.</param>
/// <param name="Number">The other number, which stands on the right.</param>
public readonly record struct NumberComparison(NumberOperator Operator, long Number)
{
    /// <summary>Whether a value meets it. One that is not there meets only <see cref="NumberOperator.NotEquals"/>.</summary>
    public bool Holds(long? value) => Operator switch
    {
        NumberOperator.Equals => value == Number,
        NumberOperator.NotEquals => value != Number,
        NumberOperator.GreaterThan => value > Number,
        NumberOperator.GreaterEquals => value >= Number,
        NumberOperator.LessThan => value < Number,
        _ => value <= Number,
    };
}

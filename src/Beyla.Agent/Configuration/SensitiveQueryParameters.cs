using System.Collections.Frozen;

namespace Beyla.Agent.Configuration;

/// <summary>Names of query parameters that carry secrets, whose values are redacted.</summary>
public static class SensitiveQueryParameters
{
    /// <summary>
    /// The defaults of the peer: those of OpenTelemetry's semantic conventions for url.query, and common ones; then those that it lacks.
    /// </summary>
    public static FrozenSet<string> Default { get; } = FrozenSet.ToFrozenSet(
    [
        "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "AWSAccessKeyId", "Signature", "SecurityToken",
        "X-Goog-Signature", "sig", "token", "access_token", "refresh_token", "id_token", "jwt", "session", "sid",
        "api_key", "apikey", "client_secret", "secret", "password", "pass", "pwd", "reset_token", "invite_token", "verify_token",
        "otp", "totp", "mfa_code", "verification_code", "SAMLResponse", "assertion", "card", "cc", "pan", "cvv", "ssn", "tax_id",
        "passwd", "passphrase", "authorization", "auth", "auth_token", "bearer", "code", "code_verifier",
        "client_assertion", "access_key", "secret_key",
        "private_key", "api-key", "x-api-key", "credential", "credentials", "sessionid", "session_id", "jsessionid", "phpsessid",
    ],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The defaults and <paramref name="add"/> without <paramref name="remove"/>; case does not count.</summary>
    public static FrozenSet<string> Make(IEnumerable<string> add, IEnumerable<string> remove) =>
        Default.Concat(add).Except(remove, StringComparer.OrdinalIgnoreCase).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
}

namespace HarborScanExporter.HarborApi;

/// <summary>What came of a request to Harbor's API.</summary>
internal enum ApiOutcome
{
    /// <summary>The answer that Harbor's API gives when it did it.</summary>
    Done,

    /// <summary>404: no such thing, or no such route in this release.</summary>
    Gone,

    /// <summary>409: something else holds it; for a scan, another one that is not final.</summary>
    Conflict,

    /// <summary>412: what it needs is missing; for a scan, a scanner that is on.</summary>
    Unmet,

    /// <summary>401 and 403: not this user, or not while Harbor is read-only.</summary>
    Denied,

    /// <summary>Any other status below 500 that is no success, redirects too: they are not followed.</summary>
    Refused,

    /// <summary>No request left: no connection in time, no certificate that is trusted, or no password to send.</summary>
    Unreachable,

    /// <summary>500 and above, or a success that Harbor's API does not give: Harbor may have acted before, or a proxy may have answered for it.</summary>
    Failed,

    /// <summary>The request left and no status came back, in time or at all.</summary>
    Undecided,
}

/// <summary>What came of a request to Harbor's API.</summary>
/// <param name="Outcome">What came of it.</param>
/// <param name="Status">The HTTP status; null when none came.</param>
/// <param name="Message">Harbor's own words, or what went wrong on the way; at most <see cref="ApiMessage.MostCharacters"/>, without credentials.</param>
internal sealed record ApiAnswer(ApiOutcome Outcome, int? Status, string? Message)
{
    /// <summary>Whether Harbor may have done what was asked. When false it surely has not, and asking again cannot do it twice.</summary>
    public bool MayHaveActed => Outcome is ApiOutcome.Done or ApiOutcome.Failed or ApiOutcome.Undecided;

    /// <summary>The answer that a response is.</summary>
    /// <param name="response">The response.</param>
    /// <param name="success">The status that Harbor's API documents for success (harbor-facts 9).</param>
    public static ApiAnswer Of(ApiResponse response, int success)
    {
        var outcome = response.Status switch
        {
            var status when status == success => ApiOutcome.Done,
            404 => ApiOutcome.Gone,
            409 => ApiOutcome.Conflict,
            412 => ApiOutcome.Unmet,
            401 or 403 => ApiOutcome.Denied,
            >= 300 and < 500 => ApiOutcome.Refused,
            _ => ApiOutcome.Failed,
        };
        return new ApiAnswer(outcome, response.Status, response.Message);
    }
}

using System.Globalization;
using HarborScanExporter.Operations;

namespace HarborScanExporter.Remediation.Requests;

/// <summary>The door that people's requests go through: each costs the database a look, a transaction or a query.</summary>
internal static class PeoplesRate
{
    /// <summary>Whether it may come in; else it is answered with 429.</summary>
    public static async Task<bool> LetsInAsync(RequestRates rates, HttpContext context)
    {
        if (rates.People.TryTake(out var refusedFor)) return true;
        context.Response.Headers.RetryAfter = ((int)Math.Ceiling(refusedFor.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await Problem.WriteAsync(context, StatusCodes.Status429TooManyRequests, $"More than {RequestRates.PerMinute} requests came within a minute. Wait a moment.");
        return false;
    }
}

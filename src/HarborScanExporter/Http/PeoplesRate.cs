using System.Globalization;

namespace HarborScanExporter.Http;

/// <summary>The door that people's requests go through: each costs the database a look, a transaction or a query.</summary>
internal static class PeoplesRate
{
    /// <summary>Whether it may come in; else it is answered with 429.</summary>
    /// <param name="rate">The allowance of its kind.</param>
    /// <param name="context">The request.</param>
    public static async Task<bool> LetsInAsync(RequestRate rate, HttpContext context)
    {
        if (rate.TryTake(out var refusedFor)) return true;
        context.Response.Headers.RetryAfter = ((int)Math.Ceiling(refusedFor.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        await Problem.WriteAsync(context, StatusCodes.Status429TooManyRequests, $"More than {RequestRates.PerMinute} requests of this kind came within a minute. Wait a moment.");
        return false;
    }
}

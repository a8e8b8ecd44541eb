using System.Text.Json;
using HarborScanExporter.Scraping;

namespace HarborScanExporter.Remediation.Requests;

/// <summary>
/// Reads a body of JSON that anybody may have made: as it comes in, never as a whole, and no further than its limit. A sender that is too slow
/// Kestrel itself cuts off.
/// </summary>
internal static class JsonBody
{
    /// <summary>As much of a stranger's word as a message can bear.</summary>
    private const int MostShown = 40;

    /// <summary>Reads it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="most">The most bytes; the listener holds the body to it too.</param>
    /// <param name="parse">Makes a value of it.</param>
    /// <returns>The value, or why there is none.</returns>
    /// <exception cref="OperationCanceledException">Whoever sent it went away.</exception>
    public static async Task<(T? Value, BodyProblem? Problem)> ReadAsync<T>(HttpContext context, long most, Func<Stream, CancellationToken, ValueTask<T?>> parse)
    {
        var request = context.Request;
        // No type at all is taken for the one there can be.
        if (request.ContentType is { Length: > 0 } && !request.HasJsonContentType())
            return (default, new BodyProblem(StatusCodes.Status415UnsupportedMediaType, RejectReason.BadBody, "Send the body as application/json."));
        if (request.Headers.ContentEncoding.Any(encoding => !string.Equals(encoding, "identity", StringComparison.OrdinalIgnoreCase)))
            return (default, new BodyProblem(StatusCodes.Status415UnsupportedMediaType, RejectReason.BadBody, "Send the body without Content-Encoding."));
        if (request.ContentLength > most) return (default, TooLarge(most));
        try
        {
            return (await parse(request.Body, context.RequestAborted), null);
        }
        catch (JsonException error)
        {
            // Its message repeats what was sent.
            return (default, new BodyProblem(StatusCodes.Status400BadRequest, RejectReason.BadBody,
                $"The body is not the JSON that this route takes (line {error.LineNumber + 1}, byte {error.BytePositionInLine})."));
        }
        catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (default, TooLarge(most));
        }
        catch (BadHttpRequestException error) when (error.StatusCode < StatusCodes.Status500InternalServerError)
        {
            return (default, new BodyProblem(error.StatusCode, RejectReason.BadBody, "The body did not come in whole."));
        }
    }

    /// <summary>What a stranger wrote, cut to what a message can bear.</summary>
    public static string Shown(string word, int most = MostShown) => word.Length <= most ? word : word[..most] + "...";

    private static BodyProblem TooLarge(long most) =>
        new(StatusCodes.Status413PayloadTooLarge, RejectReason.TooLarge, $"The body has more than {most} bytes.");
}

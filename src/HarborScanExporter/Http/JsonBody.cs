using System.Text.Json;
using HarborScanExporter.Metrics;

namespace HarborScanExporter.Http;

/// <summary>
/// Reads a body of JSON that anybody may have made: as it comes in, never as a whole, and no further than its limit. A sender that is too slow
/// Kestrel itself cuts off.
/// </summary>
internal static class JsonBody
{
    /// <summary>As much of a stranger's word as a message can bear.</summary>
    private const int MostShown = 40;

    /// <summary>Reads it. No object in it has a member twice: which of the two is meant nobody can tell.</summary>
    /// <param name="context">The request.</param>
    /// <param name="most">The most bytes; the listener holds the body to it too.</param>
    /// <param name="depth">How deep it may be.</param>
    /// <returns>The document, or why there is none.</returns>
    /// <exception cref="OperationCanceledException">Whoever sent it went away.</exception>
    public static async Task<(JsonDocument? Document, BodyProblem? Problem)> ReadAsync(HttpContext context, long most, int depth)
    {
        var request = context.Request;
        // No type at all is taken for the one there can be.
        if (request.ContentType is { Length: > 0 } && !request.HasJsonContentType())
            return (null, new BodyProblem(StatusCodes.Status415UnsupportedMediaType, RejectReason.BadBody, "Send the body as application/json."));
        if (request.Headers.ContentEncoding.Any(encoding => !string.Equals(encoding, "identity", StringComparison.OrdinalIgnoreCase)))
            return (null, new BodyProblem(StatusCodes.Status415UnsupportedMediaType, RejectReason.BadBody, "Send the body without Content-Encoding."));
        if (request.ContentLength > most) return (null, TooLarge(most));
        try
        {
            var document = await JsonDocument.ParseAsync(request.Body, new JsonDocumentOptions { MaxDepth = depth }, context.RequestAborted);
            if (RepeatedMember.In(document.RootElement) is not { } name) return (document, null);
            document.Dispose();
            return (null, new BodyProblem(StatusCodes.Status400BadRequest, RejectReason.BadBody, $"{name}: The member is given more than once. Give it once.", name));
        }
        catch (JsonException error)
        {
            // Its message repeats what was sent.
            return (null, new BodyProblem(StatusCodes.Status400BadRequest, RejectReason.BadBody,
                $"The body is not the JSON that this route takes (line {error.LineNumber + 1}, byte {error.BytePositionInLine})."));
        }
        catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return (null, TooLarge(most));
        }
        catch (BadHttpRequestException error) when (error.StatusCode < StatusCodes.Status500InternalServerError)
        {
            return (null, Broken(error.StatusCode));
        }
        // What Kestrel cannot read of a body it tells in more than one way: a size of a chunk that is no number of 32 bits by these.
        catch (Exception error) when (error is IOException or OverflowException or InvalidDataException)
        {
            return (null, Broken(StatusCodes.Status400BadRequest));
        }
    }

    /// <summary>What a stranger wrote, cut to what a message can bear.</summary>
    public static string Shown(string word, int most = MostShown) => word.Length <= most ? word : word[..most] + "...";

    private static BodyProblem Broken(int status) => new(status, RejectReason.BadBody, "The body did not come in whole.");

    private static BodyProblem TooLarge(long most) =>
        new(StatusCodes.Status413PayloadTooLarge, RejectReason.TooLarge, $"The body has more than {most} bytes.");
}

using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace HarborScanExporter.Http;

/// <summary>Why a request is not answered (RFC 9457).</summary>
internal sealed record Problem
{
    /// <summary>The media type.</summary>
    public const string MediaType = "application/problem+json";

    public string Type { get; init; } = "about:blank";

    public required string Title { get; init; }

    public required int Status { get; init; }

    /// <summary>What is wrong and how to mend it.</summary>
    public required string Detail { get; init; }

    /// <summary>The parameter that is wrong; null when it is none.</summary>
    public string? Parameter { get; init; }

    /// <summary>Answers with it.</summary>
    public static Task WriteAsync(HttpContext context, int status, string detail, string? parameter = null)
    {
        var problem = new Problem { Title = TitleOf(status), Status = status, Detail = detail, Parameter = parameter };
        context.Response.StatusCode = status;
        context.Response.ContentType = MediaType;
        return context.Response.WriteAsync(JsonSerializer.Serialize(problem, ProblemJson.Default.Problem), context.RequestAborted);
    }

    private static string TitleOf(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "Bad Request",
        StatusCodes.Status401Unauthorized => "Unauthorized",
        StatusCodes.Status403Forbidden => "Forbidden",
        StatusCodes.Status404NotFound => "Not Found",
        StatusCodes.Status405MethodNotAllowed => "Method Not Allowed",
        StatusCodes.Status408RequestTimeout => "Request Timeout",
        StatusCodes.Status409Conflict => "Conflict",
        StatusCodes.Status413PayloadTooLarge => "Content Too Large",
        StatusCodes.Status415UnsupportedMediaType => "Unsupported Media Type",
        StatusCodes.Status429TooManyRequests => "Too Many Requests",
        StatusCodes.Status503ServiceUnavailable => "Service Unavailable",
        _ => status.ToString(CultureInfo.InvariantCulture),
    };
}

/// <summary>How problems are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Problem))]
internal sealed partial class ProblemJson : JsonSerializerContext;

using HarborScanExporter.Text;

namespace HarborScanExporter.Http;

/// <summary>GET of /api/v1/openapi.yaml: the description of the operations listener's interface.</summary>
internal static class OpenApi
{
    public const string Path = "/api/v1/openapi.yaml";

    /// <summary>The document.</summary>
    public static string Text { get; } = EmbeddedText.Of("openapi.yaml");

    /// <summary>Answers with it.</summary>
    public static Task ServeAsync(HttpContext context)
    {
        context.Response.ContentType = "application/yaml; charset=utf-8";
        return context.Response.WriteAsync(Text, context.RequestAborted);
    }
}

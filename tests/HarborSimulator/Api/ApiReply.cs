using System.Text.Json;

namespace HarborSimulator.Api;

/// <summary>An answer of the API.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The body; empty for none.</param>
/// <param name="Type">Its media type.</param>
internal sealed record ApiReply(int Status, string Body = "", string Type = "application/json; charset=utf-8")
{
    public static ApiReply Unauthorized { get; } = Error(401, "UNAUTHORIZED", "unauthorized");

    public static ApiReply Forbidden { get; } = Error(403, "FORBIDDEN", "forbidden");

    /// <summary>What Harbor tells of an error that it did not foresee.</summary>
    public static ApiReply Unknown { get; } = Error(500, "UNKNOWN", "internal server error");

    /// <summary>What the proxy before core answers by itself.</summary>
    public static ApiReply OfProxy(int status) => new(status, $"<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center><hr><center>nginx</center></body></html>", "text/html");

    public static ApiReply NotFound(string message) => Error(404, "NOT_FOUND", message);

    /// <summary>Harbor's form of an error.</summary>
    public static ApiReply Error(int status, string code, string message) =>
        new(status, $$"""{"errors":[{"code":{{JsonSerializer.Serialize(code)}},"message":{{JsonSerializer.Serialize(message)}}}]}""" + "\n");
}

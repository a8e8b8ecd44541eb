using System.Globalization;
using System.Text.Json;
using HarborSimulator.Schema;

namespace HarborSimulator.Api;

/// <summary>The routes of core's API v2.0 that scanning and its repair need, each with its rights, its answers and its words.</summary>
internal sealed class ApiRoutes(HarborSimulation harbor, IReadOnlyList<HarborApiUser> users)
{
    /// <summary>The user whose password came along; null for anybody else.</summary>
    public HarborApiUser? UserOf(ApiCall call) => users.FirstOrDefault(user => user.Name == call.Name && user.Password == call.Password);

    public async Task<ApiReply> AnswerAsync(ApiCall call, CancellationToken cancellationToken)
    {
        if (!harbor.IsCoreUp) return ApiReply.OfProxy(502);
        if (call.HasSession && !call.HasToken && !call.IsSafe) return ApiReply.Error(403, "FORBIDDEN", "CSRF token not found in request");
        if (harbor.IsReadOnly && !call.IsSafe) return ApiReply.Error(403, "DENIED", "The system is in read only mode. Any modification is prohibited.");
        if (call.Segments is not ["api", "v2.0", .. var path]) return ApiReply.OfProxy(404);
        var user = UserOf(call);
        return (call.Method, path) switch
        {
            ("GET", ["systeminfo"]) => SystemInfo(user),
            ("GET", ["health"]) => Health(),
            ("GET", ["jobservice", "pools"]) when harbor.Release.CanStopQueues => Denial(user) ?? Pools(),
            // The action is not looked at: whatever it says, the job is stopped.
            ("PUT", ["jobservice", "jobs", var job]) when harbor.Release.CanStopQueues => Denial(user) ?? await StopJobAsync(job, cancellationToken),
            ("POST", ["projects", var project, "repositories", var repository, "artifacts", var reference, "scan"]) =>
                Denial(user) ?? await ScanAsync($"{project}/{Uri.UnescapeDataString(repository)}", reference, call.Body, cancellationToken),
            ("DELETE", ["robots", var robot]) => Denial(user) ?? await DeleteRobotAsync(robot, cancellationToken),
            ("POST", ["system", "scanAll", "schedule"]) => Denial(user) ?? await ScanAllAsync(call.Body, cancellationToken),
            ("POST", ["system", "scanAll", "stop"]) when harbor.Release.CanStopScans => Denial(user) ?? await StopScanAllAsync(cancellationToken),
            _ => ApiReply.NotFound($"path {call.RawPath} was not found"),
        };
    }

    private static ApiReply? Denial(HarborApiUser? user) => user switch
    {
        null => ApiReply.Unauthorized,
        { IsAdministrator: false } => ApiReply.Forbidden,
        _ => null,
    };

    private ApiReply SystemInfo(HarborApiUser? user)
    {
        const string anybody = """
            "auth_mode":"db_auth","self_registration":false
            """;
        return new ApiReply(200, user is null ? $"{{{anybody}}}" : string.Create(CultureInfo.InvariantCulture,
            $$"""{{{anybody}},"harbor_version":"v{{harbor.Release}}-70c03a0f","read_only":{{(harbor.IsReadOnly ? "true" : "false")}},"current_time":"{{harbor.Now:yyyy-MM-ddTHH:mm:ss.fffZ}}"}"""));
    }

    private ApiReply Health()
    {
        var parts = new[] { "core", "database", "jobservice", "portal", "redis", "registry", "registryctl", "trivy" }
            .Select(part => (Name: part, IsWell: part != "jobservice" || harbor.IsJobServiceUp)).ToList();
        return new ApiReply(200, $$"""{"components":[{{string.Join(',', parts.Select(part => $$"""{"name":"{{part.Name}}","status":"{{Word(part.IsWell)}}"}"""))}}],"status":"{{Word(parts.TrueForAll(part => part.IsWell))}}"}""");

        static string Word(bool isWell) => isWell ? "healthy" : "unhealthy";
    }

    private ApiReply Pools() => new(200, $"[{string.Join(',', harbor.LivePools.Select(pool => $$"""{"worker_pool_id":"{{pool}}","concurrency":{{harbor.Settings.WorkersPerPool}}}"""))}]");

    private async Task<ApiReply> StopJobAsync(string job, CancellationToken cancellationToken)
    {
        if (!harbor.IsJobServiceUp) return ApiReply.Unknown;
        if (string.Equals(job, "all", StringComparison.OrdinalIgnoreCase)) await harbor.StopRunningJobsAsync(cancellationToken);
        else if (!await harbor.StopJobAsync(job, cancellationToken)) return ApiReply.Unknown;
        return new ApiReply(200);
    }

    private async Task<ApiReply> ScanAsync(string repository, string reference, string body, CancellationToken cancellationToken)
    {
        if (harbor.FindArtifact(repository, reference) is not { } artifact) return ApiReply.NotFound($"artifact {repository}@{reference} not found");
        var type = harbor.Release.HasSbom ? TypeOf(body) : "vulnerability";
        if (type is null) return ApiReply.Error(422, "UNPROCESSABLE_ENTITY", "scan_type in body should be one of [vulnerability sbom]");
        if (await harbor.ScannerRefusalAsync(cancellationToken) is { } missing) return ApiReply.Error(412, "PRECONDITION", missing);
        if (await harbor.ScanRefusalAsync(artifact, cancellationToken) is { } refusal) return ApiReply.Error(400, "BAD_REQUEST", refusal);
        if (!harbor.IsJobServiceUp) return ApiReply.Unknown;
        var scan = type == "sbom" ? await harbor.GenerateSbomAsync(artifact, cancellationToken) : await harbor.ScanAsync(artifact, cancellationToken);
        return scan.Accepted ? new ApiReply(202) : ApiReply.Error(409, "CONFLICT", scan.Refusal ?? "");
    }

    private async Task<ApiReply> DeleteRobotAsync(string robot, CancellationToken cancellationToken)
    {
        if (!long.TryParse(robot, CultureInfo.InvariantCulture, out var id)) return ApiReply.Error(422, "UNPROCESSABLE_ENTITY", $"robot_id in path must be of type int64: \"{robot}\"");
        return await harbor.DeleteRobotAsync(id, cancellationToken) ? new ApiReply(200) : ApiReply.NotFound($"robot {robot} not found");
    }

    private async Task<ApiReply> ScanAllAsync(string body, CancellationToken cancellationToken)
    {
        if (await harbor.ScannerRefusalAsync(cancellationToken) is { } missing) return ApiReply.Error(412, "PRECONDITION", missing);
        if (Text(body, "schedule", "type") != "Manual") return ApiReply.Error(422, "UNPROCESSABLE_ENTITY", "only the type Manual is played here");
        var scan = await harbor.ScanAllAsync(cancellationToken: cancellationToken);
        return scan.Accepted ? new ApiReply(201) : ApiReply.Error(409, "CONFLICT", scan.Refusal ?? "");
    }

    private async Task<ApiReply> StopScanAllAsync(CancellationToken cancellationToken)
    {
        if (!await harbor.HasScanAllAsync(cancellationToken)) return ApiReply.Error(400, "BAD_REQUEST", "no scan all job is found currently");
        await harbor.StopScanAllAsync(cancellationToken);
        return new ApiReply(202);
    }

    private static string? TypeOf(string body) => body.Length == 0 ? "vulnerability" : Text(body, "scan_type") is "vulnerability" or "sbom" ? Text(body, "scan_type") : null;

    private static string? Text(string body, params ReadOnlySpan<string> path)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var element = document.RootElement;
            foreach (var name in path)
            {
                if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element)) return null;
            }
            return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

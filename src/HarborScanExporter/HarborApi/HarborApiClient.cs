using HarborScanExporter.Harbor;
using HarborScanExporter.Settings;

namespace HarborScanExporter.HarborApi;

/// <summary>
/// Asks Harbor to act through its API v2.0 (harbor-facts 9). Bounded: 10 s for a request, ten requests in a second. A request is repeated once,
/// a second later, where that cannot do anything twice: never a scan.
/// </summary>
internal sealed class HarborApiClient(ApiSettings settings, TimeProvider time) : IDisposable
{
    /// <summary>The time for one request and its answer.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>The least time between two requests.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>The time before a request is repeated.</summary>
    public static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(1);

    private readonly ApiConnection _connection = new(settings, Limit, time);
    private readonly RequestPace _pace = new(Interval, time);

    /// <summary>Scheme, host and port.</summary>
    public Uri Address => _connection.Address;

    /// <summary>
    /// PUT /jobservice/jobs/{id} (Harbor 2.7 and later). Done says only that Harbor took it: a job that is final in Redis is left as it is,
    /// and of a job without a task Harbor knows nothing; the row tells what came of it.
    /// </summary>
    /// <param name="jobId">task.job_id.</param>
    /// <param name="cancellationToken">Ends the wait; what has left may still be done.</param>
    /// <exception cref="ArgumentException">The id is not 24 lower-case hex digits. Other texts are other routes: the word all stops every job.</exception>
    public Task<ApiAnswer> StopJobAsync(string jobId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(jobId);
        if (!JobIdForm.Is(jobId)) throw new ArgumentException("A job's id is 24 lower-case hex digits.", nameof(jobId));
        return RepeatableAsync(HttpMethod.Put, $"jobservice/jobs/{jobId}", """{"action":"stop"}""", 200, cancellationToken);
    }

    /// <summary>DELETE /robots/{id}, which works for the hidden robots of scans too. Gone: it was there no more.</summary>
    /// <param name="robotId">robot.id.</param>
    /// <param name="cancellationToken">Ends the wait; what has left may still be done.</param>
    /// <exception cref="ArgumentOutOfRangeException">No robot has such an id.</exception>
    public Task<ApiAnswer> DeleteRobotAsync(long robotId, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(robotId);
        return RepeatableAsync(HttpMethod.Delete, FormattableString.Invariant($"robots/{robotId}"), null, 200, cancellationToken);
    }

    /// <summary>POST …/artifacts/{digest}/scan. Never repeated: a second scan takes the report of the first away.</summary>
    /// <param name="repository">artifact.repository_name: the project, a slash, the repository.</param>
    /// <param name="digest">artifact.digest.</param>
    /// <param name="scanType">vulnerability or sbom; null before Harbor 2.11, which knows no type.</param>
    /// <param name="cancellationToken">Ends the wait; what has left may still be done.</param>
    /// <exception cref="ArgumentException">No repository, digest or type of scan has such a name.</exception>
    public async Task<ApiAnswer> ScanAsync(string repository, string digest, string? scanType, CancellationToken cancellationToken)
    {
        var path = ArtifactPath.Of(repository, digest);
        var json = scanType switch
        {
            null => null,
            "vulnerability" or "sbom" => $$"""{"scan_type":"{{scanType}}"}""",
            _ => throw new ArgumentException("A scan is of the type vulnerability or sbom.", nameof(scanType)),
        };
        await _pace.WaitAsync(cancellationToken);
        return await OnceAsync(HttpMethod.Post, $"{path}/scan", json, 202, cancellationToken);
    }

    public void Dispose() => _connection.Dispose();

    private async Task<ApiAnswer> RepeatableAsync(HttpMethod method, string path, string? json, int success, CancellationToken cancellationToken)
    {
        await _pace.WaitAsync(cancellationToken);
        var first = await OnceAsync(method, path, json, success, cancellationToken);
        if (first is not ({ Outcome: ApiOutcome.Unreachable } or { Status: 502 or 503 or 504 })) return first;
        await Task.Delay(RepeatAfter, time, cancellationToken);
        await _pace.WaitAsync(cancellationToken);
        var second = await OnceAsync(method, path, json, success, cancellationToken);
        // That the second was surely not done says nothing of the first.
        return first.MayHaveActed && !second.MayHaveActed && second.Outcome != ApiOutcome.Gone ? first : second;
    }

    private async Task<ApiAnswer> OnceAsync(HttpMethod method, string path, string? json, int success, CancellationToken cancellationToken)
    {
        try
        {
            return ApiAnswer.Of(await _connection.SendAsync(method, path, json, cancellationToken), success);
        }
        catch (HttpRequestException error) when (error.HttpRequestError is HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.SecureConnectionError)
        {
            return new ApiAnswer(ApiOutcome.Unreachable, null, ApiMessage.Bounded(error.GetBaseException().Message));
        }
        catch (HttpRequestException)
        {
            return new ApiAnswer(ApiOutcome.Undecided, null, "the connection broke before an answer");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ApiAnswer(ApiOutcome.Undecided, null, FormattableString.Invariant($"no answer within {Limit.TotalSeconds} s"));
        }
        catch (UnusableSecretException error)
        {
            return new ApiAnswer(ApiOutcome.Unreachable, null, error.Message);
        }
    }
}

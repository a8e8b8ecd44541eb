using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using HarborScanExporter.Failures;
using HarborScanExporter.Settings;
using HarborScanExporter.Text;

namespace HarborScanExporter.HarborApi;

/// <summary>Why Harbor's API could not be used.</summary>
/// <param name="Reason">One of <see cref="FailureReason.All"/>.</param>
/// <param name="What">What happened, with the words of the server or of the system; without secrets.</param>
/// <param name="Mend">What to do.</param>
internal sealed record ApiTrouble(string Reason, string What, string Mend)
{
    private const string Where = $"{Setting.Names.ServiceHost} and {Setting.Names.ServicePort}";
    private const string AuthorityVariable = "SSL_CERT_FILE";

    /// <summary>Of a request that got no answer, or none that can be read.</summary>
    /// <param name="error">What a connection throws.</param>
    /// <param name="address">Scheme, host and port.</param>
    public static ApiTrouble Of(Exception error, Uri address) => error switch
    {
        ApiUnusableException { Trouble: var trouble } => trouble,
        UnusableSecretException => new(FailureReason.Auth, "Its password cannot be read.", error.Message),
        OperationCanceledException or TimeoutException => new(FailureReason.Timeout, $"{address} takes the connection and does not answer in time.",
            $"Check that {Where} name Harbor's core or its proxy, and whether they are overloaded."),
        JsonException => new(FailureReason.Other, $"What answers at {address} is not Harbor: its answer is no JSON.", $"Check {Where}."),
        HttpRequestException http => OfConnection(http, address),
        _ => new(FailureReason.Connect, $"{address} cannot be reached ({WordsOf(error)}).", $"Check {Setting.Names.ServiceScheme}, {Where}, and the network policy."),
    };

    /// <summary>Of an answer that is no success.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="address">Scheme, host and port.</param>
    /// <param name="user">Who asked.</param>
    public static ApiTrouble Of(ApiResponse response, Uri address, string user)
    {
        var answers = $"{address} answers {response.Status}{(response.Message is { } words ? $" ({words})" : "")}.";
        return response.Status switch
        {
            401 => new(FailureReason.Auth, $"{address} refuses {user} (401).",
                $"Check {Setting.Names.ApiUsername} and its password; a robot account's name has its prefix, and in a shell its $ is quoted."),
            403 => new(FailureReason.Permission, answers, $"Give {Setting.Names.ApiUsername} the right, or look which proxy before Harbor refuses it."),
            404 => new(FailureReason.Other, answers, $"Check that {Where} name Harbor, whose API begins with /api/v2.0/: another program answers there."),
            400 when address.Scheme == Uri.UriSchemeHttp && response.Message?.Contains("HTTPS", StringComparison.OrdinalIgnoreCase) == true =>
                new(FailureReason.Connect, answers, $"Set {Setting.Names.ServiceScheme} to https, or {Setting.Names.ServicePort} to the port of http."),
            >= 300 and < 400 => new(FailureReason.Other, $"{address} answers {response.Status} and redirects{(response.Location is { } to ? $" to {to}" : "")}.",
                $"Set {Setting.Names.ServiceScheme}, {Where} to where Harbor itself is: redirects are not followed, as the password would go with them."),
            502 or 503 or 504 => new(FailureReason.Connect, answers, $"A proxy answers for Harbor: look whether core runs and is ready, and that {Where} name Harbor."),
            >= 500 => new(FailureReason.Other, answers, "Look at the log of Harbor's core."),
            200 => new(FailureReason.Other, $"What answers at {address} is not Harbor{(response.Message is { } page ? $" ({page})" : "")}: its answer is no JSON, or too long, or broke off.",
                $"Check {Where}: this may be the sign-in of a proxy before Harbor."),
            _ => new(FailureReason.Other, answers, $"Check that {Where} name Harbor, and that {Setting.Names.ServiceScheme} is right; redirects are not followed."),
        };
    }

    private static ApiTrouble OfConnection(HttpRequestException error, Uri address)
    {
        var words = WordsOf(error);
        var cannot = $"{address} cannot be reached ({words}).";
        return error.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => new(FailureReason.Connect, cannot,
                $"Check {Setting.Names.ServiceHost}: the name {address.Host} is not known where the exporter runs, or the name service does not answer."),
            HttpRequestError.SecureConnectionError => OfTls(error, address, cannot, words),
            HttpRequestError.ConnectionError when error.GetBaseException() is SocketException { SocketErrorCode: SocketError.ConnectionRefused } =>
                new(FailureReason.Connect, cannot, $"Nothing listens there: check {Where}, and that Harbor runs."),
            HttpRequestError.ConnectionError => new(FailureReason.Connect, cannot,
                $"Check {Where}, and the network policy{(address.Scheme == Uri.UriSchemeHttps ? $"; and {Setting.Names.ServiceScheme}: what takes the connection may speak no TLS" : "")}."),
            _ => new(FailureReason.Connect, $"{address} ended the connection without an answer of HTTP ({words}).",
                $"Check {Setting.Names.ServiceScheme} and {Where}: a port of https ends what comes as http."),
        };
    }

    private static ApiTrouble OfTls(HttpRequestException error, Uri address, string cannot, string words)
    {
        if (!Chain(error).Any(one => one is AuthenticationException) || words.Contains("frame", StringComparison.Ordinal))
            return new(FailureReason.Connect, cannot, $"Check {Setting.Names.ServiceScheme} and {Setting.Names.ServicePort}: what answers there speaks no TLS.");
        if (words.Contains("NameMismatch", StringComparison.Ordinal) && !words.Contains("Chain", StringComparison.Ordinal))
            return new(FailureReason.Connect, cannot, $"Set {Setting.Names.ServiceHost} to a name that the certificate holds; {address.Host} is not among them.");
        if (!words.Contains("certificate", StringComparison.OrdinalIgnoreCase))
            return new(FailureReason.Connect, cannot, $"Both ends agree on no version or cipher of TLS: check {Setting.Names.ServiceHost} and {Setting.Names.ServicePort}, and what the proxy before Harbor allows.");
        return Environment.GetEnvironmentVariable(AuthorityVariable) is { Length: > 0 } file && !File.Exists(file)
            ? new(FailureReason.Connect, cannot, $"{AuthorityVariable} names {file}, which is not there. Mount it, or correct the path.")
            : new(FailureReason.Connect, cannot, $"Name the authority that signed its certificate in {AuthorityVariable}, and the host as the certificate does.");
    }

    /// <summary>The innermost message says what the outer ones pass on.</summary>
    private static string WordsOf(Exception error) => VisibleText.Of(ApiMessage.Bounded(error.GetBaseException().Message)).TrimEnd('.');

    private static IEnumerable<Exception> Chain(Exception error)
    {
        for (var one = error; one is not null; one = one.InnerException) yield return one;
    }
}

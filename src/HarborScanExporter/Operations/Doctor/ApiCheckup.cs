using System.Text.Json;
using HarborScanExporter.HarborApi;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Operations.Doctor;

/// <summary>Tries Harbor's API: whether it answers, knows the user, and lets it see the job service (harbor-facts 9).</summary>
internal static class ApiCheckup
{
    private const string Reach = "harbor api";
    private const string Role = "harbor api role";

    /// <summary>Tries it.</summary>
    public static async Task<IReadOnlyList<CheckupLine>> RunAsync(ExporterSettings settings, TimeProvider time, CancellationToken cancellationToken)
    {
        if (settings.Api is not { } api)
            return [CheckupLine.Skipped(Reach, $"{Setting.Names.ApiUsername} is not set: without it read-only mode is seen in the optional view alone, and Harbor's exact version not at all.")];
        using var client = new SystemInfoClient(api, time);
        try
        {
            // Without a right password Harbor takes the user for anybody and still tells a little of itself: the pools refuse.
            var pools = await client.AskPoolsAsync(cancellationToken);
            if (pools.Status == 401) return [Refused(client, api)];
            var info = await client.ReadAsync(cancellationToken);
            return
            [
                CheckupLine.Ok(Reach, $"{client.Address} answers {api.Username}."),
                info.Version is { } version
                    ? CheckupLine.Ok("harbor version", $"Harbor {version}.")
                    : CheckupLine.Warning("harbor version", "Harbor does not tell this user its version.", $"Check {Setting.Names.ApiUsername}: Harbor tells it to every user who signed in."),
                info.ReadOnly switch
                {
                    true => CheckupLine.Warning("read-only mode", "Harbor is in read-only mode, in which core refuses the status of every scan.", "Switch it off when what it was switched on for is over."),
                    false => CheckupLine.Ok("read-only mode", "Harbor is not in read-only mode."),
                    null => CheckupLine.Skipped("read-only mode", "Harbor does not tell it."),
                },
                RoleOf(pools, api),
            ];
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException or UnauthorizedAccessException
            || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return [Failed(client, api, error)];
        }
    }

    private static CheckupLine Refused(SystemInfoClient client, ApiSettings api) => CheckupLine.Failed(Reach, $"{client.Address} refuses {api.Username} (401).",
        $"Check {Setting.Names.ApiUsername} and its password; a robot account's name has its prefix, and in a shell its $ is quoted.");

    private static CheckupLine RoleOf(ApiAnswer answer, ApiSettings api) => answer.Status switch
    {
        200 => CheckupLine.Ok(Role, $"{api.Username} may see the job service."),
        403 => CheckupLine.Warning(Role, $"{api.Username} may not see the job service (403), which repairs by Harbor's own API need.",
            "Since Harbor 2.10 give a system robot account the permissions list and stop of the resource jobservice-monitor; before, take a system administrator."),
        404 => CheckupLine.Skipped(Role, "This Harbor has no API of the job service; it came with 2.7."),
        _ => CheckupLine.Warning(Role, $"Harbor answers {answer.Status} when asked for the job service's pools.", "Look at core's log, and whether core reaches the job service."),
    };

    private static CheckupLine Failed(SystemInfoClient client, ApiSettings api, Exception error) => error switch
    {
        HttpRequestException { StatusCode: System.Net.HttpStatusCode.Unauthorized } => Refused(client, api),
        HttpRequestException { StatusCode: { } status } => CheckupLine.Failed(Reach, $"{client.Address} answers {(int)status}.",
            $"Check that {Setting.Names.ServiceHost} and {Setting.Names.ServicePort} name Harbor, and that {Setting.Names.ServiceScheme} is right; redirects are not followed."),
        JsonException => CheckupLine.Failed(Reach, $"What answers at {client.Address} is not Harbor.", $"Check {Setting.Names.ServiceHost} and {Setting.Names.ServicePort}."),
        UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException => CheckupLine.Failed(Reach, $"The file of {Setting.Names.ApiPasswordFile} cannot be read.", "Mount it, or correct the path."),
        OperationCanceledException => CheckupLine.Failed(Reach, $"{client.Address} does not answer in time.", "Check the address and the network policy."),
        _ => CheckupLine.Failed(Reach, $"{client.Address} cannot be reached ({error.GetBaseException().Message}).",
            $"Check {Setting.Names.ServiceScheme}, {Setting.Names.ServiceHost} and {Setting.Names.ServicePort}, the network policy, and for https SSL_CERT_FILE."),
    };
}

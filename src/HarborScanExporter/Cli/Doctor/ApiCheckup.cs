using HarborScanExporter.HarborApi;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Cli.Doctor;

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
            if (pools.Status == 401) return [Failed(client.TroubleOf(pools))];
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
                RoleOf(pools, client, api),
            ];
        }
        catch (ApiUnusableException error)
        {
            return [Failed(error.Trouble)];
        }
    }

    private static CheckupLine RoleOf(ApiResponse answer, SystemInfoClient client, ApiSettings api) => answer.Status switch
    {
        200 => CheckupLine.Ok(Role, $"{api.Username} may see the job service."),
        403 => CheckupLine.Warning(Role, $"{api.Username} may not see the job service (403{(answer.Message is { } words ? $": {words}" : "")}), which repairs by Harbor's own API need.",
            "Since Harbor 2.10 give a system robot account the permissions list and stop of the resource jobservice-monitor; before, take a system administrator."),
        404 => CheckupLine.Skipped(Role, "This Harbor has no API of the job service; it came with 2.7."),
        _ => CheckupLine.Warning(Role, $"Asked for the job service's pools: {client.TroubleOf(answer).What}", "Look at core's log, and whether core reaches the job service."),
    };

    private static CheckupLine Failed(ApiTrouble trouble) => CheckupLine.Failed(Reach, trouble.What, trouble.Mend);
}

using HarborScanExporter.HarborApi;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Support;
using HarborSimulator.Api;

namespace HarborScanExporter.Tests.HarborApi;

/// <summary>What the client asks of Harbor's API, and what it makes of the answers.</summary>
public sealed class HarborApiClientTests
{
    private const string UnknownJob = "0123456789abcdef01234567";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stopped_job_ends_its_task_and_its_execution()
    {
        await using var served = await ServedHarbor.StartAsync();
        served.Harbor.HangNext(1);
        var (task, execution) = await served.Simulated.RunningScanAsync();
        var job = await served.JobOfAsync(task);
        Assert.Equal(new ApiAnswer(ApiOutcome.Done, 200, null), await served.Client().StopJobAsync(job, Token));
        Assert.Equal("Stopped|3", await served.Simulated.StatusAsync(task));
        Assert.Equal("Stopped", await served.Simulated.ExecutionAsync(execution));
        Assert.Equal([new HarborApiRequest("PUT", $"/api/v2.0/jobservice/jobs/{job}", "admin")], served.Api.Requests);
    }

    [Theory]
    [InlineData("all")]
    [InlineData("")]
    [InlineData("0123456789abcdef0123456")]
    [InlineData("0123456789abcdef012345678")]
    [InlineData("0123456789ABCDEF01234567")]
    [InlineData("0123456789abcdef0123456/")]
    [InlineData("0123456789abcdef0123456\n")]
    [InlineData("../queues/all/../../x123")]
    public async Task A_text_that_is_no_job_id_is_never_sent(string job)
    {
        await using var served = await ServedHarbor.StartAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => served.Client().StopJobAsync(job, Token));
        Assert.Empty(served.Api.Requests);
    }

    [Fact]
    public async Task A_robot_is_deleted_once_and_gone_afterwards()
    {
        await using var served = await ServedHarbor.StartAsync();
        await served.Simulated.ScanAsync();
        var robot = long.Parse(await served.Simulated.OneAsync("select id from robot"), System.Globalization.CultureInfo.InvariantCulture);
        var client = served.Client();
        Assert.Equal(new ApiAnswer(ApiOutcome.Done, 200, null), await client.DeleteRobotAsync(robot, Token));
        Assert.Equal("0|0", await served.Simulated.OneAsync("select (select count(*) from robot), (select count(*) from role_permission)"));
        Assert.Equal(new ApiAnswer(ApiOutcome.Gone, 404, $"robot {robot} not found"), await client.DeleteRobotAsync(robot, Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.DeleteRobotAsync(0, Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.DeleteRobotAsync(-1, Token));
        Assert.Equal(2, served.Api.Requests.Count);
    }

    [Theory]
    [InlineData("2.8.0", null, "IMAGE_SCAN")]
    [InlineData("2.11.0", "vulnerability", "IMAGE_SCAN")]
    [InlineData("2.11.0", "sbom", "SBOM")]
    [InlineData("2.11.0", null, "IMAGE_SCAN")]
    public async Task A_scan_of_a_repository_with_slashes_is_accepted_once(string release, string? type, string vendor)
    {
        await using var served = await ServedHarbor.StartAsync(release);
        var artifact = await served.Harbor.PushAsync("library", "team/app", cancellationToken: Token);
        var client = served.Client();
        Assert.Equal(new ApiAnswer(ApiOutcome.Done, 202, null), await client.ScanAsync(artifact.Repository, artifact.Digest, type, Token));
        Assert.Equal($"{vendor}|Pending", await served.Simulated.OneAsync("select vendor_type, status from task"));
        Assert.EndsWith($"/api/v2.0/projects/library/repositories/team%252Fapp/artifacts/{artifact.Digest}/scan", served.Api.Requests[0].Path, StringComparison.Ordinal);
        var again = await client.ScanAsync(artifact.Repository, artifact.Digest, type, Token);
        var words = type == "sbom" ? "a previous sbom generate process is running" : "a previous scan process is Pending";
        Assert.Equal(new ApiAnswer(ApiOutcome.Conflict, 409, words), again);
        Assert.False(again.MayHaveActed);
    }

    [Fact]
    public async Task A_scan_that_Harbor_does_not_start_has_Harbors_reason()
    {
        await using var served = await ServedHarbor.StartAsync();
        var artifact = await served.Harbor.PushAsync(cancellationToken: Token);
        var client = served.Client();
        var missing = "sha256:" + new string('0', 64);
        Assert.Equal(new ApiAnswer(ApiOutcome.Gone, 404, $"artifact library/app@{missing} not found"), await client.ScanAsync("library/app", missing, "vulnerability", Token));
        await served.Simulated.RunAsync("update artifact set type = 'CHART'");
        Assert.Equal(
            new ApiAnswer(ApiOutcome.Refused, 400, "the configured scanner Trivy does not support scanning artifact with mime type CHART"),
            await client.ScanAsync(artifact.Repository, artifact.Digest, "vulnerability", Token));
        await served.Simulated.RunAsync("update scanner_registration set disabled = true");
        Assert.Equal(new ApiAnswer(ApiOutcome.Unmet, 412, "scanner Trivy is deactivated"), await client.ScanAsync(artifact.Repository, artifact.Digest, "vulnerability", Token));
        Assert.Equal("0", await served.Simulated.OneAsync("select count(*) from execution"));
    }

    [Fact]
    public async Task A_wrong_password_a_user_without_rights_and_read_only_mode_are_denied()
    {
        await using var served = await ServedHarbor.StartAsync();
        var (task, _) = await served.Simulated.RunningScanAsync();
        var job = await served.JobOfAsync(task);
        Assert.Equal(new ApiAnswer(ApiOutcome.Denied, 401, "unauthorized"), await served.Client(HarborApiUser.Administrator with { Password = "wrong" }).StopJobAsync(job, Token));
        Assert.Equal(new ApiAnswer(ApiOutcome.Denied, 403, "forbidden"), await served.Client(ServedHarbor.Guest).StopJobAsync(job, Token));
        await served.Harbor.SetReadOnlyAsync(true, Token);
        Assert.Equal(
            new ApiAnswer(ApiOutcome.Denied, 403, "The system is in read only mode. Any modification is prohibited."), await served.Client().StopJobAsync(job, Token));
        Assert.Equal("Running|2", await served.Simulated.StatusAsync(task));
    }

    [Fact]
    public async Task Before_2_7_there_is_no_such_route()
    {
        await using var served = await ServedHarbor.StartAsync("2.6.0");
        var (task, _) = await served.Simulated.RunningScanAsync();
        Assert.Equal(ApiOutcome.Gone, (await served.Client().StopJobAsync(await served.JobOfAsync(task), Token)).Outcome);
        Assert.Equal("Running|2", await served.Simulated.StatusAsync(task));
    }

    [Fact]
    public async Task A_job_that_two_tasks_share_is_an_error_of_Harbors()
    {
        await using var served = await ServedHarbor.StartAsync();
        var first = await served.Simulated.RunningScanAsync();
        var second = await served.Simulated.ScanAsync();
        var job = await served.JobOfAsync(first.Task);
        await served.Simulated.RunAsync($"update task set job_id = '{job}' where id = {second.Task}");
        var answer = await served.Client().StopJobAsync(job, Token);
        Assert.Equal(new ApiAnswer(ApiOutcome.Failed, 500, "internal server error"), answer);
        Assert.True(answer.MayHaveActed);
        Assert.Single(served.Api.Requests);
    }

    [Fact]
    public async Task No_session_is_opened_so_that_Harbor_asks_for_no_token()
    {
        await using var served = await ServedHarbor.StartAsync();
        var client = served.Client();
        for (var i = 0; i < 3; i++) Assert.Equal(ApiOutcome.Done, (await client.StopJobAsync(UnknownJob, Token)).Outcome);
    }

    [Fact]
    public async Task The_passwords_file_is_read_at_each_request()
    {
        await using var served = await ServedHarbor.StartAsync();
        var file = Path.GetTempFileName();
        using var client = new HarborApiClient(new() { Address = served.Api.Address, Username = "admin", PasswordFile = SecretFile.OfPassword(Setting.Names.ApiPasswordFile, file) }, TimeProvider.System);
        await File.WriteAllTextAsync(file, "old\n", Token);
        Assert.Equal(ApiOutcome.Denied, (await client.StopJobAsync(UnknownJob, Token)).Outcome);
        await File.WriteAllTextAsync(file, HarborApiUser.Administrator.Password + "\r\n", Token);
        Assert.Equal(ApiOutcome.Done, (await client.StopJobAsync(UnknownJob, Token)).Outcome);
        // What it held before counts on; without anything before there is nothing to send.
        File.Delete(file);
        Assert.Equal(ApiOutcome.Done, (await client.StopJobAsync(UnknownJob, Token)).Outcome);
        Assert.Equal(3, served.Api.Requests.Count);
        using var without = new HarborApiClient(new() { Address = served.Api.Address, Username = "admin", PasswordFile = SecretFile.OfPassword(Setting.Names.ApiPasswordFile, file) }, TimeProvider.System);
        var answer = await without.StopJobAsync(UnknownJob, Token);
        Assert.Equal(new ApiAnswer(ApiOutcome.Unreachable, null, $"HARBOR_API_PASSWORD_FILE: there is no readable file {file}. Mount it, or correct the path."), answer);
        Assert.False(answer.MayHaveActed);
        Assert.Equal(3, served.Api.Requests.Count);
    }
}

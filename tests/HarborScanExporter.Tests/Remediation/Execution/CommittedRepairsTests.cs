using HarborScanExporter.Cli.Repair;
using HarborScanExporter.Remediation.Audit;
using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Settings;
using HarborScanExporter.Tests.Cli;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Testing;

namespace HarborScanExporter.Tests.Remediation.Execution;

/// <summary>What a run has committed is told, counted and looked at again, whatever happens after it.</summary>
public sealed class CommittedRepairsTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task When_a_later_batch_fails()
    {
        await using var harbor = await TwoLostAsync();
        await RefuseAsync(harbor, "(select count(*) from harbor_scan.repair) > 0", "trigger", "before insert", "");
        var wrote = 0;
        harbor.Run.Wrote += () => wrote++;

        var result = await harbor.RunAsync();

        Assert.Equal((RunEnd.Failed, 1, 1), (result.End, result.Batches, wrote));
        Assert.Equal([(RepairState.Done, 1L)], result.Outcomes.Select(outcome => (outcome.State, outcome.Repair.TaskId!.Value)));
        Assert.Equal("The audit of repairs cannot be used: P0001: no room. Look at the log of the database's server.", result.Problem);
        Assert.Same(result, harbor.Pieces.GetRequiredService<RemediationState>().Newest!.Result);
        Assert.Equal(["Repair 1: finish_task of task-1 (lost) is done . Run " + result.Run + "."], Logged(harbor, "Repair "));
        Assert.Equal([$"Run {result.Run} for command (test), dry False, ended Failed with 1 repairs. {result.Problem}"], Logged(harbor, "Run "));
        Assert.Equal("Error 3 0 ended", await harbor.TaskAsync(1));
        Assert.Equal("Pending 0 0", await harbor.TaskAsync(2));
    }

    [Fact]
    public async Task When_it_is_broken_off()
    {
        using var stop = new CancellationTokenSource();
        await using var harbor = await TwoLostAsync(async (_, token) =>
        {
            await stop.CancelAsync();
            token.ThrowIfCancellationRequested();
            return new ActOutcome(RepairState.Done, null);
        });
        var wrote = 0;
        harbor.Run.Wrote += () => wrote++;

        var result = await harbor.Run.RunAsync(new RunRequest { Asker = new Asker(RunSource.Command, "test"), WaitsForSecondLook = false }, stop.Token);

        Assert.Equal((RunEnd.Interrupted, "It was broken off. What was written until then stays, and is in the audit."), (result.End, result.Problem));
        Assert.Equal([RepairState.Intended], result.Outcomes.Select(outcome => outcome.State));
        Assert.Equal(1, wrote);
        Assert.Single(Logged(harbor, "Run "));
        // The intent that nobody has ended wakes whoever ends it.
        await harbor.Pieces.GetRequiredService<RemediationState>().IntentLeftOpenAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task When_the_outcome_of_an_act_cannot_be_written()
    {
        await using var harbor = await TwoLostAsync((_, _) => Task.FromResult(new ActOutcome(RepairState.Done, null)));
        await harbor.Seed.ExecuteAsync($"revoke update on harbor_scan.repair from {harbor.Harbor.RepairRole}; revoke update (state) on harbor_scan.repair from {harbor.Harbor.RepairRole}");

        var result = await harbor.RunAsync();

        Assert.Equal(RunEnd.Failed, result.End);
        Assert.Equal([(RepairState.Intended, 1L)], result.Outcomes.Select(outcome => (outcome.State, outcome.Audit!.Value)));
        Assert.StartsWith("The audit of repairs cannot be used: 42501: permission denied for table repair. Run the SQL of deploy/sql/03-remediation-role.sql", result.Problem, StringComparison.Ordinal);
        await harbor.Pieces.GetRequiredService<RemediationState>().IntentLeftOpenAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task When_nobody_knows_whether_the_last_batch_was_committed()
    {
        await using var harbor = await TwoLostAsync();
        await RefuseAsync(harbor, "(select count(*) from harbor_scan.repair) > 1", "constraint trigger", "after insert", "deferrable initially deferred");
        var wrote = 0;
        harbor.Run.Wrote += () => wrote++;

        var result = await harbor.RunAsync();

        Assert.Equal((RunEnd.Failed, 1, 1), (result.End, result.Outcomes.Count, wrote));
        Assert.Equal("The repairing role cannot work (other): P0001: no room. Look at the log of the database's server. What was written is in the audit. Whether the last repair was written is not known here: the audit tells.", result.Problem);
        Assert.Equal([2L], result.Unconfirmed.Select(outcome => outcome.Repair.TaskId!.Value));
    }

    [Fact]
    public async Task When_a_fault_of_the_exporter_ends_it()
    {
        await using var harbor = await TwoLostAsync((_, _) => throw new InvalidOperationException("a fault"));

        var result = await harbor.RunAsync();

        Assert.Equal((RunEnd.Failed, "The run broke off for a reason that is not known: a fault. What was written is in the audit."), (result.End, result.Problem));
        Assert.Equal([RepairState.Intended], result.Outcomes.Select(outcome => outcome.State));
        Assert.Single(Logged(harbor, "Run "), line => line.EndsWith("broke off for a reason that is not known.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task By_the_command_and_by_the_API()
    {
        await using var harbor = await TwoLostAsync();
        await RefuseAsync(harbor, "(select count(*) from harbor_scan.repair) > 0", "trigger", "before insert", "");

        var run = await CommandRun.RepairAsync(
            harbor.Harbor.RemediationEnvironment((Setting.Names.RedisUrl, harbor.Redis.Url), (Setting.Names.RemediationMaxPerRun, "1")), new RepairOptions { Apply = true });

        Assert.Equal(RepairCommand.CouldNot, run.Exit);
        Assert.Contains(": 1 done.", run.Output, StringComparison.Ordinal);
        Assert.Contains("The audit of repairs cannot be used: P0001: no room.", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("a line of its own", run.All, StringComparison.Ordinal);
    }

    /// <summary>Two scans that lost their jobs, which are repaired in a batch each.</summary>
    private static async Task<RepairingHarbor> TwoLostAsync(Act? act = null)
    {
        var harbor = await RepairingHarbor.StartAsync(act: act, limits: limits => limits with { MaxPerRun = 1 });
        await harbor.LoseScanAsync(6 * Hour);
        await harbor.LoseScanAsync(5 * Hour);
        await harbor.SeeTwiceAsync();
        return harbor;
    }

    /// <summary>Lines of the audit that the server refuses.</summary>
    private static Task RefuseAsync(RepairingHarbor harbor, string when, string kind, string what, string timing) => harbor.Seed.ExecuteAsync($"""
        create function harbor_scan.refuse() returns trigger language plpgsql as $$ begin if {when} then raise exception 'no room' using detail = 'a line of its own'; end if; return new; end $$;
        create {kind} refuse {what} on harbor_scan.repair {timing} for each row execute function harbor_scan.refuse();
        """);

    private static string[] Logged(RepairingHarbor harbor, string start) =>
        [.. harbor.Pieces.GetRequiredService<FakeLogCollector>().GetSnapshot().Select(line => line.Message).Where(message => message.StartsWith(start, StringComparison.Ordinal))];
}

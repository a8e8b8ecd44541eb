using HarborScanExporter.Remediation.Execution;
using HarborScanExporter.Remediation.Undo;
using HarborScanExporter.Tests.Support;
using Npgsql;

namespace HarborScanExporter.Tests.Remediation.Undo;

/// <summary>Which other lines of the audit speak against putting an execution back as it was before a repair: each here differs in one thing alone.</summary>
public sealed class ExecutionUndoRowsTests
{
    /// <summary>The line of which an undo is asked for.</summary>
    private const int Asked = 10;

    [Fact]
    public async Task A_repair_of_the_execution_itself()
    {
        await using var harbor = await RepairedAsync();
        var rows = new DecidedRows(harbor, () => SeedAsync(harbor));
        await rows.RepairAsync(async (transaction, token) =>
        {
            await ExecutionUndo.TakeBackAsync(transaction, new UndoLine { Id = Asked, ExecutionId = 1 }, token);
            return await StatusAsync(transaction);
        },
            ("as left", "", "Running"),
            ("written since", "update execution set revision = revision + 1", "Success"),
            ("written since by an undo of ours", "update execution set revision = 7; " + Line(11, action: "undo"), "Running"),
            ("written since by a run that told of another execution", "update execution set revision = 7; " + Line(11, execution: 2, image: true, action: "undo"), "Success"),
            ("written before an undo that wrote it not", Line(11, image: false, action: "undo"), "Running"),
            ("a later repair", Line(11, run: "later"), "Success"),
            ("a later line of the same run", Line(11), "Running"),
            ("a later repair that was taken back", Line(11, run: "later", state: "undone"), "Running"),
            ("a later one that failed", Line(11, run: "later", state: "failed"), "Running"),
            ("a later undo", Line(11, run: "later", action: "undo"), "Running"),
            ("a later repair of another", Line(11, run: "later", execution: 2), "Running"),
            ("a later repair that wrote it not", Line(11, run: "later", image: false), "Running"),
            ("an earlier repair", Line(9, run: "earlier"), "Running"));
    }

    [Fact]
    public async Task A_repair_of_a_task_that_the_execution_followed()
    {
        await using var harbor = await RepairedAsync();
        var rows = new DecidedRows(harbor, () => SeedAsync(harbor));
        await rows.RepairAsync(async (transaction, token) =>
        {
            await ExecutionUndo.FollowAsync(transaction, new UndoLine { Id = Asked, ExecutionId = 1 }, token);
            return await StatusAsync(transaction);
        },
            ("as left", "", "Running"),
            ("without an image of before", "update harbor_scan.repair set before = '{\"execution\": null}'", "Error"),
            ("another of the batch", Line(11), "Error"),
            ("an earlier line of the batch", Line(9), "Error"),
            ("another of the batch, taken back", Line(11, state: "undone"), "Running"),
            ("another of the batch, failed", Line(11, state: "failed"), "Running"),
            ("an undo of the batch", Line(11, action: "undo"), "Running"),
            ("another of the batch that wrote it not", Line(11, image: false), "Running"),
            ("another of the batch and of another execution", Line(11, execution: 2), "Running"),
            ("a later repair", Line(11, run: "later"), "Error"),
            ("an earlier repair", Line(9, run: "earlier"), "Running"),
            ("an earlier one taken back since", Undone(9, 11, "earlier"), "Error"),
            ("an earlier one of the batch taken back since", Undone(9, 11, "r"), "Running"),
            ("an earlier one taken back before", Undone(8, 9, "earlier"), "Running"),
            ("a later one taken back", Undone(11, 12, "later"), "Running"),
            ("an earlier one that stands, and a later one taken back", Line(9, run: "earlier") + Undone(11, 12, "later"), "Running"),
            ("an earlier one of another execution taken back", Undone(9, 11, "earlier", execution: 2), "Running"));
        await rows.RepairAsync(async (transaction, token) => await ExecutionUndo.FollowAsync(transaction, new UndoLine { Id = Asked, ExecutionId = 1 }, token) is null,
            ("as it was before already", "update harbor_scan.repair set before = after", true));
    }

    private static string Line(int id, string run = "r", string action = "finish_task", string state = "done", int execution = 1, bool image = true, int? undoOf = null) => $$"""
        insert into harbor_scan.repair (id, run, source, actor, action, state, verdict, evidence, execution_id, undo_of, after) overriding system value
        select {{id}}, '{{run}}', 'api', 'a', '{{action}}', '{{state}}', 'lost', '[]', {{execution}}, {{undoOf?.ToString() ?? "null"}}, {{(image ? "json_build_object('execution', row_to_json(e))" : "'{\"execution\": null}'::json")}}
        from execution e where e.id = 1;
        """;

    /// <summary>A repair, and the line of its undo; neither of them wrote the execution.</summary>
    private static string Undone(int repair, int undo, string run, int execution = 1) =>
        Line(repair, run, state: "undone", execution: execution, image: false) + Line(undo, "undo", "undo", execution: execution, image: false, undoOf: repair);

    /// <summary>An execution that a repair made Success from Running, and whose tasks ask for Error.</summary>
    private static async Task SeedAsync(TestHarbor harbor)
    {
        var seed = new Seed(harbor);
        // Not the first of the table.
        await seed.ExecutionAsync(status: "Success", id: 3);
        await seed.TaskAsync(await seed.ExecutionAsync(status: "Success"), status: "Error");
        await seed.ExecutionAsync(status: "Success");
        await seed.ExecuteAsync("update execution set revision = case id when 3 then 77 else 5 end; " + Line(Asked)
            + $"update harbor_scan.repair set before = (select json_build_object('execution', jsonb_set(to_jsonb(e), '{{status}}', '\"Running\"')) from execution e where id = 1) where id = {Asked}");
    }

    private static async Task<string> StatusAsync(RepairTransaction transaction)
    {
        await using var command = new NpgsqlCommand("select status from execution where id = 1", transaction.Connection, transaction.Transaction);
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    private static async Task<TestHarbor> RepairedAsync()
    {
        var harbor = await TestHarbor.CreateAsync();
        await harbor.GrantRemediationAsync();
        return harbor;
    }
}

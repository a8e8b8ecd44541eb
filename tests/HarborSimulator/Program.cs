using System.CommandLine;
using HarborSimulator.Cli;
using Npgsql;

namespace HarborSimulator;

internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        var root = new RootCommand("A small Harbor: its scan tables, its job service's Redis, and what goes wrong with them.") { SchemaCommand.Create(), RunCommand.Create() };
        try
        {
            return await root.Parse(arguments).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception error) when (error is CommandException or NpgsqlException or StackExchange.Redis.RedisConnectionException)
        {
            await Console.Error.WriteLineAsync($"harbor-simulator: {error.Message}");
            return 1;
        }
    }
}

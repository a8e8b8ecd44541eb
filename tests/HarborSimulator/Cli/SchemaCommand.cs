using System.CommandLine;
using HarborSimulator.Schema;
using Npgsql;

namespace HarborSimulator.Cli;

/// <summary><c>harbor-simulator schema</c>: Harbor's tables in a database, once.</summary>
internal static class SchemaCommand
{
    public static Command Create()
    {
        var database = SharedOptions.Database();
        var release = SharedOptions.Release();
        var command = new Command("schema", "Create Harbor's tables of a release. Does nothing when the same schema version is there already.") { database, release };
        command.SetAction((result, token) => RunAsync(result.GetRequiredValue(database), HarborRelease.Parse(result.GetRequiredValue(release)), token));
        return command;
    }

    private static async Task<int> RunAsync(string database, HarborRelease release, CancellationToken cancellationToken)
    {
        await using var dataSource = NpgsqlDataSource.Create(database);
        var created = await CreateAsync(dataSource, release, cancellationToken);
        Console.WriteLine(created
            ? $"created the tables of Harbor {release} (schema {release.SchemaVersion})"
            : $"the tables of schema {release.SchemaVersion} are there already");
        return 0;
    }

    /// <summary>Creates the tables; false when the same schema version is there already.</summary>
    /// <exception cref="CommandException">The database holds another schema version.</exception>
    public static async Task<bool> CreateAsync(NpgsqlDataSource dataSource, HarborRelease release, CancellationToken cancellationToken)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var found = await HarborSchema.VersionOfAsync(connection, cancellationToken);
        if (found == release.SchemaVersion) return false;
        if (found is not null) throw new CommandException($"the database holds schema {found}, not {release.SchemaVersion} of Harbor {release}: give another database");
        await HarborSchema.CreateAsync(connection, release, cancellationToken);
        return true;
    }
}

/// <summary>A refusal that the program prints as it is.</summary>
internal sealed class CommandException(string message) : Exception(message);

/// <summary>Options that several commands have.</summary>
internal static class SharedOptions
{
    public static Option<string> Database() => new("--database") { Required = true, Description = "Npgsql connection string of the database" };

    public static Option<string> Release()
    {
        var option = new Option<string>("--release") { DefaultValueFactory = _ => "2.11.0", Description = "Harbor release, 2.2.0 to 2.16.0" };
        option.Validators.Add(result =>
        {
            if (!HarborRelease.Every.Any(release => release.Name == result.GetValueOrDefault<string>()?.TrimStart('v')))
                result.AddError($"--release: {result.GetValueOrDefault<string>()} is no release from {HarborRelease.Every[0]} to {HarborRelease.Every[^1]}");
        });
        return option;
    }
}

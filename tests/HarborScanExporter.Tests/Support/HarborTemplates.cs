using System.Collections.Concurrent;
using HarborSimulator.Schema;

namespace HarborScanExporter.Tests.Support;

/// <summary>Databases with Harbor's tables, one for each schema, made when first asked for: a copy takes a fraction of the statements.</summary>
internal sealed class HarborTemplates(ServerAdministrator administrator) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, Lazy<Task<string>>> _names = new();
    private readonly ConcurrentBag<string> _made = [];

    /// <summary>The database to copy for a release. Nobody can connect to it, which would keep others from copying it.</summary>
    public Task<string> NameOfAsync(HarborRelease release) => _names.GetOrAdd(release.SchemaVersion, _ => new(() => MakeAsync(release))).Value;

    /// <summary>Removes them, as the server may live on.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var name in _made)
        {
            await administrator.ExecuteAsync($"alter database {name} with is_template false");
            await administrator.ExecuteAsync($"drop database {name}");
        }
    }

    private async Task<string> MakeAsync(HarborRelease release)
    {
        var database = await TestDatabase.CreateAsync(administrator, FormattableString.Invariant($"harbor_template_{Environment.ProcessId}_{release.SchemaVersion}"));
        await using (var connection = await database.OpenAsync())
            await HarborSchema.CreateAsync(connection, release);
        await administrator.ExecuteAsync($"alter database {database.Name} with is_template true allow_connections false");
        _made.Add(database.Name);
        return database.Name;
    }
}

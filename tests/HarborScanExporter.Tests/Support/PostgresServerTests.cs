namespace HarborScanExporter.Tests.Support;

public sealed class PostgresServerTests
{
    [Fact]
    public async Task Each_database_is_new_and_empty()
    {
        await using var database = await PostgresServer.Current.CreateDatabaseAsync();
        Assert.Equal(0L, await database.ScalarAsync<long>("select count(*) from pg_tables where schemaname = 'public'"));
    }
}

using System.Globalization;
using Npgsql;

namespace HarborScanExporter.Tests.Simulator;

/// <summary>Reads rows as the text a person would see in psql with ISO dates.</summary>
internal static class Rows
{
    /// <summary>Every row of a query, its columns joined by a bar; NULL is an empty text.</summary>
    public static async Task<List<string>> OfAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return await OfAsync(connection, sql);
    }

    public static async Task<List<string>> OfAsync(NpgsqlDataSource source, string sql)
    {
        await using var connection = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        return await OfAsync(connection, sql);
    }

    public static async Task<List<string>> OfAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        List<string> rows = [];
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(column => Text(reader.GetValue(column)))));
        return rows;
    }

    /// <summary>The one value of a query, as text.</summary>
    public static async Task<string> OneAsync(string connectionString, string sql) => Assert.Single(await OfAsync(connectionString, sql));

    public static async Task<string> OneAsync(NpgsqlDataSource source, string sql) => Assert.Single(await OfAsync(source, sql));

    /// <summary>Runs statements that give no rows; tells how many rows they touched.</summary>
    public static async Task<int> RunAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    public static async Task<int> RunAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    private static string Text(object value) => value switch
    {
        DBNull => "",
        DateTime time => time.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
        bool flag => flag ? "t" : "f",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}

using StackExchange.Redis;

namespace HarborSimulator.Storage;

/// <summary>A real Redis database: what is in it is the truth, and may be changed or wiped from outside at any time.</summary>
internal sealed class RedisKeyStore(IDatabase redis) : IKeyStore
{
    public Task<bool> ExistsAsync(string key) => redis.KeyExistsAsync(key);

    public Task DeleteAsync(params string[] keys) => redis.KeyDeleteAsync([.. keys.Select(key => (RedisKey)key)]);

    public Task ExpireAsync(string key, TimeSpan life) => redis.KeyExpireAsync(key, life);

    public Task PersistAsync(string key) => redis.KeyPersistAsync(key);

    public Task FlushAsync() => redis.ExecuteAsync("FLUSHDB");

    public async Task<string?> GetAsync(string key) => await redis.StringGetAsync(key);

    public Task SetAsync(string key, string value) => redis.StringSetAsync(key, value);

    public Task IncrementAsync(string key, long by) => redis.StringIncrementAsync(key, by);

    public async Task<Dictionary<string, string>> HashAsync(string key) =>
        (await redis.HashGetAllAsync(key)).ToDictionary(entry => entry.Name.ToString(), entry => entry.Value.ToString(), StringComparer.Ordinal);

    public Task HashSetAsync(string key, params (string Field, string Value)[] fields) =>
        redis.HashSetAsync(key, [.. fields.Select(field => new HashEntry(field.Field, field.Value))]);

    public Task<long> HashIncrementAsync(string key, string field, long by) => redis.HashIncrementAsync(key, field, by);

    public Task HashDeleteAsync(string key, params string[] fields) => redis.HashDeleteAsync(key, [.. fields.Select(field => (RedisValue)field)]);

    public async Task<List<string>> ListAsync(string key) => [.. (await redis.ListRangeAsync(key)).Select(item => item.ToString())];

    public Task<long> ListLengthAsync(string key) => redis.ListLengthAsync(key);

    public Task PushLeftAsync(string key, string value) => redis.ListLeftPushAsync(key, value);

    public async Task<string?> PopRightPushLeftAsync(string source, string target) => await redis.ListRightPopLeftPushAsync(source, target);

    public Task ListRemoveAsync(string key, string value) => redis.ListRemoveAsync(key, value, 1);

    public async Task<List<string>> SetMembersAsync(string key) =>
        [.. (await redis.SetMembersAsync(key)).Select(member => member.ToString()).Order(StringComparer.Ordinal)];

    public Task SetAddAsync(string key, string member) => redis.SetAddAsync(key, member);

    public Task SetRemoveAsync(string key, string member) => redis.SetRemoveAsync(key, member);

    public Task SortedSetAddAsync(string key, string member, double score) => redis.SortedSetAddAsync(key, member, score);
}

namespace HarborSimulator.Storage;

/// <summary>The few Redis commands that Harbor's job service lives on, in memory or in a real Redis.</summary>
internal interface IKeyStore
{
    public Task<bool> ExistsAsync(string key);
    public Task DeleteAsync(params string[] keys);
    public Task ExpireAsync(string key, TimeSpan life);
    public Task PersistAsync(string key);
    public Task FlushAsync();

    public Task<string?> GetAsync(string key);
    public Task SetAsync(string key, string value);
    public Task IncrementAsync(string key, long by);

    public Task<Dictionary<string, string>> HashAsync(string key);
    public Task HashSetAsync(string key, params (string Field, string Value)[] fields);
    public Task<long> HashIncrementAsync(string key, string field, long by);
    public Task HashDeleteAsync(string key, params string[] fields);

    public Task<List<string>> ListAsync(string key);
    public Task<long> ListLengthAsync(string key);
    public Task PushLeftAsync(string key, string value);
    public Task<string?> PopRightPushLeftAsync(string source, string target);
    public Task ListRemoveAsync(string key, string value);

    public Task<List<string>> SetMembersAsync(string key);
    public Task SetAddAsync(string key, string member);
    public Task SetRemoveAsync(string key, string member);

    public Task SortedSetAddAsync(string key, string member, double score);
}

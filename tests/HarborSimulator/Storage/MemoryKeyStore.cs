using System.Globalization;

namespace HarborSimulator.Storage;

/// <summary>Redis as far as the job service needs it, without Redis: for simulations that only want rows.</summary>
internal sealed class MemoryKeyStore : IKeyStore
{
    private readonly Dictionary<string, object> _keys = new(StringComparer.Ordinal);

    public Task<bool> ExistsAsync(string key) => Task.FromResult(_keys.ContainsKey(key));

    public Task DeleteAsync(params string[] keys)
    {
        foreach (var key in keys) _keys.Remove(key);
        return Task.CompletedTask;
    }

    /// <summary>Nothing: the simulation itself removes a key when its simulated life is over.</summary>
    public Task ExpireAsync(string key, TimeSpan life) => Task.CompletedTask;

    public Task PersistAsync(string key) => Task.CompletedTask;

    public Task FlushAsync()
    {
        _keys.Clear();
        return Task.CompletedTask;
    }

    public Task<string?> GetAsync(string key) => Task.FromResult(_keys.GetValueOrDefault(key) as string);

    public Task SetAsync(string key, string value)
    {
        _keys[key] = value;
        return Task.CompletedTask;
    }

    public Task IncrementAsync(string key, long by)
    {
        var old = _keys.GetValueOrDefault(key) is string text ? long.Parse(text, CultureInfo.InvariantCulture) : 0;
        _keys[key] = (old + by).ToString(CultureInfo.InvariantCulture);
        return Task.CompletedTask;
    }

    public Task<Dictionary<string, string>> HashAsync(string key) =>
        Task.FromResult(_keys.GetValueOrDefault(key) is Dictionary<string, string> hash ? new Dictionary<string, string>(hash, StringComparer.Ordinal) : []);

    public Task HashSetAsync(string key, params (string Field, string Value)[] fields)
    {
        var hash = Of<Dictionary<string, string>>(key);
        foreach (var (field, value) in fields) hash[field] = value;
        return Task.CompletedTask;
    }

    public Task<long> HashIncrementAsync(string key, string field, long by)
    {
        var hash = Of<Dictionary<string, string>>(key);
        var value = by + (hash.TryGetValue(field, out var old) ? long.Parse(old, CultureInfo.InvariantCulture) : 0);
        hash[field] = value.ToString(CultureInfo.InvariantCulture);
        return Task.FromResult(value);
    }

    public Task HashDeleteAsync(string key, params string[] fields)
    {
        if (_keys.GetValueOrDefault(key) is Dictionary<string, string> hash)
        {
            foreach (var field in fields) hash.Remove(field);
            if (hash.Count == 0) _keys.Remove(key);
        }
        return Task.CompletedTask;
    }

    public Task<List<string>> ListAsync(string key) =>
        Task.FromResult(_keys.GetValueOrDefault(key) is LinkedList<string> list ? list.ToList() : []);

    public Task<long> ListLengthAsync(string key) => Task.FromResult(_keys.GetValueOrDefault(key) is LinkedList<string> list ? (long)list.Count : 0);

    public Task PushLeftAsync(string key, string value)
    {
        Of<LinkedList<string>>(key).AddFirst(value);
        return Task.CompletedTask;
    }

    public Task<string?> PopRightPushLeftAsync(string source, string target)
    {
        if (_keys.GetValueOrDefault(source) is not LinkedList<string> list || list.Last is null) return Task.FromResult<string?>(null);
        var value = list.Last.Value;
        list.RemoveLast();
        if (list.Count == 0) _keys.Remove(source);
        Of<LinkedList<string>>(target).AddFirst(value);
        return Task.FromResult<string?>(value);
    }

    public Task ListRemoveAsync(string key, string value)
    {
        if (_keys.GetValueOrDefault(key) is LinkedList<string> list && list.Remove(value) && list.Count == 0) _keys.Remove(key);
        return Task.CompletedTask;
    }

    public Task<List<string>> SetMembersAsync(string key) =>
        Task.FromResult(_keys.GetValueOrDefault(key) is SortedSet<string> set ? set.ToList() : []);

    public Task SetAddAsync(string key, string member)
    {
        if (!_keys.TryGetValue(key, out var value)) _keys[key] = value = new SortedSet<string>(StringComparer.Ordinal);
        ((SortedSet<string>)value).Add(member);
        return Task.CompletedTask;
    }

    public Task SetRemoveAsync(string key, string member)
    {
        if (_keys.GetValueOrDefault(key) is SortedSet<string> set && set.Remove(member) && set.Count == 0) _keys.Remove(key);
        return Task.CompletedTask;
    }

    public Task SortedSetAddAsync(string key, string member, double score)
    {
        Of<Dictionary<string, double>>(key)[member] = score;
        return Task.CompletedTask;
    }

    /// <summary>Writes every key into another store.</summary>
    public async Task CopyToAsync(IKeyStore other)
    {
        List<Task> writes = [];
        foreach (var (key, value) in _keys)
        {
            switch (value)
            {
                case string text:
                    writes.Add(other.SetAsync(key, text));
                    break;
                case Dictionary<string, string> hash:
                    writes.Add(other.HashSetAsync(key, [.. hash.Select(field => (field.Key, field.Value))]));
                    break;
                case LinkedList<string> list:
                    foreach (var item in list.Reverse()) writes.Add(other.PushLeftAsync(key, item));
                    break;
                case SortedSet<string> set:
                    foreach (var member in set) writes.Add(other.SetAddAsync(key, member));
                    break;
                case Dictionary<string, double> sorted:
                    foreach (var (member, score) in sorted) writes.Add(other.SortedSetAddAsync(key, member, score));
                    break;
            }
        }
        await Task.WhenAll(writes);
    }

    private T Of<T>(string key) where T : class, new()
    {
        if (!_keys.TryGetValue(key, out var value)) _keys[key] = value = new T();
        return (T)value;
    }
}

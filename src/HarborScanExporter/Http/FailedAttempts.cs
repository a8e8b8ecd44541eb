using System.Net;
using System.Net.Sockets;

namespace HarborScanExporter.Http;

/// <summary>
/// Counts wrong tokens by the address they come from, within a minute: so many tell of a guesser or of a stale script, and only further wrong ones are
/// refused. The memory is bounded: beyond <see cref="MostAddresses"/> all further addresses share one count.
/// </summary>
internal sealed class FailedAttempts(TimeProvider time)
{
    /// <summary>Wrong tokens from one address within <see cref="Window"/> until further ones are refused; a person mistypes less, a guesser more.</summary>
    public const int Most = 30;

    /// <summary>After this an address begins anew.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private const int MostAddresses = 1024;

    private readonly Lock _lock = new();
    private readonly Dictionary<IPAddress, Attempts> _byAddress = [];

    /// <summary>How long wrong tokens of the address are still refused; null when they are not.</summary>
    public TimeSpan? RefusedFor(IPAddress? address)
    {
        lock (_lock)
        {
            if (!_byAddress.TryGetValue(KeyOf(address), out var attempts) || attempts.Count < Most) return null;
            var left = Window - time.GetElapsedTime(attempts.Since);
            return left > TimeSpan.Zero ? left : null;
        }
    }

    /// <summary>Counts one; whether further ones are refused from now on.</summary>
    public bool Add(IPAddress? address)
    {
        lock (_lock)
        {
            var key = KeyOf(address);
            if (!_byAddress.TryGetValue(key, out var attempts) || time.GetElapsedTime(attempts.Since) >= Window)
                _byAddress[key] = attempts = new Attempts(time.GetTimestamp());
            return ++attempts.Count == Most;
        }
    }

    private IPAddress KeyOf(IPAddress? address)
    {
        var key = Network(address ?? IPAddress.None);
        if (_byAddress.ContainsKey(key) || _byAddress.Count < MostAddresses) return key;
        foreach (var over in _byAddress.Where(pair => time.GetElapsedTime(pair.Value.Since) >= Window).Select(pair => pair.Key).ToArray()) _byAddress.Remove(over);
        return _byAddress.Count < MostAddresses ? key : IPAddress.None;
    }

    /// <summary>Whoever has one address of IPv6 has its whole /64.</summary>
    private static IPAddress Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        Array.Clear(bytes, 8, 8);
        return new IPAddress(bytes);
    }

    private sealed class Attempts(long since)
    {
        public long Since { get; } = since;

        public int Count { get; set; }
    }
}

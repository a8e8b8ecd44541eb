using System.Net;

namespace HarborScanExporter.Hosting;

/// <summary>Where connections come from, as far as one sender cannot choose among addresses.</summary>
/// <param name="address">The address that stands for it.</param>
internal sealed class ConnectionOrigin(IPAddress address)
{
    private readonly int[] _waiting = new int[3];

    public IPAddress Address => address;

    /// <summary>How many connections come from there.</summary>
    public int Connections { get; set; }

    /// <summary>An address of IPv4, or the network of 64 bits in which a host with IPv6 has every address.</summary>
    public static IPAddress Of(EndPoint? remote)
    {
        if (remote is not IPEndPoint { Address: var address }) return IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        if (bytes.Length > 8) bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }

    /// <summary>How many of them wait for this.</summary>
    public int Count(ConnectionState state) => Volatile.Read(ref _waiting[(int)state]);

    public void Add(ConnectionState state, int count) => Interlocked.Add(ref _waiting[(int)state], count);
}

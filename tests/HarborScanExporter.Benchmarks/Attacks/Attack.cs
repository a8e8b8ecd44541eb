using System.Text;

namespace HarborScanExporter.Benchmarks.Attacks;

/// <summary>What a client without a token can do to a server that it only wants to harm. It never reads an answer.</summary>
/// <param name="Name">In words, for the table.</param>
/// <param name="Connections">How many it keeps open, as far as it is let in.</param>
/// <param name="First">What it sends first on each.</param>
/// <param name="Then">What it sends after that, again and again.</param>
/// <param name="Bytes">How many bytes it sends on each in all.</param>
internal sealed record Attack(string Name, int Connections, byte[] First, byte[] Then, long Bytes)
{
    /// <summary>A request that has to wait for the database, and a mebibyte of further requests behind it.</summary>
    public static Attack Pipelining { get; } = new("1 MiB of requests behind one to /readyz", 400, Request("/readyz"), Repeated(Request("/readyz"), 16 * 1024), 1024 * 1024);

    /// <summary>As many headers as servers usually take, and never the end of them.</summary>
    public static Attack UnfinishedHeaders { get; } =
        new("30 KiB of headers without an end", 8_000, Ascii("GET /metrics HTTP/1.1\r\nHost: exporter\r\n"), Repeated(Ascii($"X-Filler: {new string('x', 1_012)}\r\n"), 30 * 1024), 30 * 1024);

    /// <summary>Requests for the largest answer, which is never read.</summary>
    public static Attack NeverReading { get; } = new("/metrics, never read", 3_000, Request("/metrics"), [], 0);

    private static byte[] Request(string path) => Ascii($"GET {path} HTTP/1.1\r\nHost: exporter\r\n\r\n");

    private static byte[] Repeated(byte[] request, int bytes) => [.. Enumerable.Repeat(request, bytes / request.Length).SelectMany(one => one)];

    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);
}

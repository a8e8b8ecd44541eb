using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace HarborScanExporter.JobService;

/// <summary>
/// Bounds the bytes that one look reads of Redis, whatever stands there: the client keeps a reply in memory until it has all of it, and no command tells
/// beforehand how large an entry of a list is. Beyond the bound the connection ends.
/// </summary>
internal sealed class ReadLimit : Tunnel
{
    /// <summary>A look reads at most so much; one at 5,000 open scans, 1,000 entries of the queue and full lists takes about a quarter.</summary>
    public const long MaxBytes = 32 * 1024 * 1024;

    private long _read;

    /// <summary>Whether more was sent than a look reads.</summary>
    public bool IsPassed => Interlocked.Read(ref _read) > MaxBytes;

    /// <summary>A look begins.</summary>
    public void Begin() => Interlocked.Exchange(ref _read, 0);

    /// <inheritdoc/>
    public override ValueTask<Stream?> BeforeAuthenticateAsync(EndPoint endpoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken) =>
        ValueTask.FromResult<Stream?>(socket is null ? null : new CountedStream(new NetworkStream(socket), this));

    private int Count(int bytes)
    {
        Interlocked.Add(ref _read, bytes);
        return IsPassed ? throw new IOException("Redis sends more than one look reads.") : bytes;
    }

    /// <summary>Passes everything on and counts what is read.</summary>
    private sealed class CountedStream(Stream stream, ReadLimit limit) : Stream
    {
        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => limit.Count(stream.Read(buffer, offset, count));

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            limit.Count(await stream.ReadAsync(buffer, cancellationToken));

        public override async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            limit.Count(await stream.ReadAsync(buffer.AsMemory(offset, count), cancellationToken));

        public override void Write(byte[] buffer, int offset, int count) => stream.Write(buffer, offset, count);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => stream.WriteAsync(buffer, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            stream.WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => stream.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => stream.FlushAsync(cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) stream.Dispose();
            base.Dispose(disposing);
        }
    }
}

using HarborScanExporter.Cli.Check;
using HarborScanExporter.Settings;

namespace HarborScanExporter.Cli.Doctor;

/// <summary>The form of what <c>doctor</c> prints.</summary>
internal enum DoctorOutput
{
    Table,
    Json,
}

/// <summary>The command <c>doctor</c>: tries everything that the exporter needs, writes nothing anywhere, and names the mend of what is wrong.</summary>
internal static class DoctorCommand
{
    /// <summary>No check failed; warnings may be among them.</summary>
    public const int NothingFailed = 0;

    /// <summary>At least one check failed.</summary>
    public const int SomethingFailed = 1;

    /// <summary>Tries and prints.</summary>
    public static async Task<int> RunAsync(ExporterSettings settings, DoctorOutput output, Terminal terminal, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            var lines = await new Waiting(terminal, time).ForAsync(Checkup.RunAsync(settings, time, cancellationToken), "Trying", cancellationToken);
            if (output == DoctorOutput.Json) await terminal.Output.WriteLineAsync(DoctorDocument.Of(lines).ToJson());
            else terminal.WritePage(page => DoctorTable.Write(page, lines));
            await terminal.Output.FlushAsync(cancellationToken);
            return lines.Any(line => line.Result == CheckupResult.Failed) ? SomethingFailed : NothingFailed;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return CheckCommand.Interrupted;
        }
    }
}

using System.CommandLine;
using HarborScanExporter.Cli;
using HarborScanExporter.Hosting;

return await CommandLine.RunAsync(args, async (settings, ignored, cancellationToken) =>
{
    await using var app = Exporter.Build(settings);
    Exporter.TellStart(app, settings, ignored);
    return await Exporter.RunAsync(app, settings, cancellationToken);
}, new InvocationConfiguration
{
    // A scrape that is under way at SIGTERM is answered before the process ends.
    ProcessTerminationTimeout = TimeSpan.FromSeconds(15),
});

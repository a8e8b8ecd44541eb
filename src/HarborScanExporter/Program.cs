using HarborScanExporter;
using HarborScanExporter.Scraping;

return await CommandLine.Build(async (settings, ignored, cancellationToken) =>
{
    await using var app = Exporter.Build(settings);
    Exporter.TellStart(app, settings, ignored);
    await app.RunAsync(cancellationToken);
    return 0;
}).Parse(args).InvokeAsync();

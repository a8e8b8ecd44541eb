using HarborScanExporter;

return await CommandLine.Build(async (settings, ignored, cancellationToken) =>
{
    await using var app = Exporter.Build(settings);
    Exporter.TellStart(app, settings, ignored);
    return await Exporter.RunAsync(app, settings, cancellationToken);
}).Parse(args).InvokeAsync();

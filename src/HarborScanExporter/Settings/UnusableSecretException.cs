namespace HarborScanExporter.Settings;

/// <summary>The file of a secret cannot be used, and never could be; the message names the setting, the file and the mend.</summary>
internal sealed class UnusableSecretException(string message) : IOException(message);

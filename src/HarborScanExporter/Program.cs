Console.WriteLine("harbor-scan-exporter");

namespace HarborSimulator;

internal static class Program
{
    private static void Main() => Console.WriteLine("harbor-simulator");
}

using System;
using System.Diagnostics;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Acme.Depot.Net;
using Acme.Depot.Stock;

namespace Acme.Depot
{
    public static class Program
    {
        public static int Main(string[] args)
        {
            for (var order = 1; order <= 8; order++)
                Console.WriteLine("info: Acme.Depot.Packing[0] order {0} packed in {1} ms", 4000 + order, order * 3 % 17);
            Console.Out.Flush();
            return Place(args.Length > 1 ? args[1] : "main", Of(args[0]));
        }

        static int Place(string where, Action crash)
        {
            switch (where)
            {
                case "thread":
                    var thread = new Thread(() => crash()) { Name = "packer-1" };
                    thread.Start();
                    thread.Join();
                    return 0;
                case "task":
                    Task.Run(crash).Wait();
                    return 0;
                case "awaited":
                    Awaited(crash).GetAwaiter().GetResult();
                    return 0;
                case "parallel":
                    Parallel.ForEach(Enumerable.Range(0, 1), i => crash());
                    return 0;
                case "reflect":
                    crash.GetType().GetMethod("Invoke").Invoke(crash, null);
                    return 0;
                case "logged":
                    return Logged(crash);
                default:
                    crash();
                    return 0;
            }
        }

        static async Task Awaited(Action crash)
        {
            await Task.Delay(5);
            crash();
        }

        static int Logged(Action crash)
        {
            try
            {
                crash();
            }
            catch (Exception e)
            {
                Console.WriteLine("fail: Acme.Depot.Packing[7]");
                Console.WriteLine("      depot stops");
                Console.WriteLine("      " + e.ToString().Replace("\n", "\n      "));
                return 3;
            }
            return 0;
        }

        static Action Of(string name)
        {
            var shelf = new Shelf();
            var client = new Client();
            switch (name)
            {
                case "nil": return () => shelf.OwnerLength();
                case "index": return () => shelf.At(5);
                case "array": return () => shelf.Cell(5);
                case "missing": return () => shelf.Find("A-7");
                case "first": return () => shelf.First();
                case "cast": return () => shelf.Weight("A-7");
                case "divide": return () => shelf.Average(10);
                case "recursion": return () => shelf.Depth(0);
                case "sealed": return () => shelf.Seal(Guid.NewGuid().ToString());
                case "sealed-again": return () => shelf.SealAgain(Guid.NewGuid().ToString());
                case "close": return () => shelf.Close("2026-10");
                case "close-year": return () => shelf.CloseYear("2026");
                case "load": return () => shelf.Load().GetAwaiter().GetResult();
                case "load-wait": return () => shelf.Load().Wait();
                case "multi": return shelf.Multi;
                case "heap": return shelf.Fill;
                case "failfast": return shelf.Stop;
                case "poke": return shelf.Poke;
                case "assert": return () => Debug.Assert(shelf == null, "shelf is not sorted");
                case "refused": return () => client.Connect(1);
                case "opened": return () => client.Open(1);
                case "resolve": return client.Resolve;
                case "listen": return () => client.Listen(18441);
                case "read": return client.Read;
                case "full": return client.Full;
                case "library": return client.Library;
                case "setting": return () => client.Setting();
                case "wait": return client.Wait;
                case "initializer": return () => Console.WriteLine(Rates.Base);
                case "plugin": return UsePlugin;
                default: throw new ArgumentException(name);
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void UsePlugin()
        {
            new Plugins.Plugin().Size(); // culprit: plugin
        }
    }

    static class Rates
    {
        public static readonly int Base = int.Parse("ten"); // culprit: initializer
    }
}

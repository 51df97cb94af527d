using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using System.Diagnostics;
namespace Acme.Stock {
    public class ShelfSealed : Exception {
        public ShelfSealed(string m) : base(m) {
        }
    }
    public class OddToString : Exception {
        public override string ToString() {
            return "odd: " + Message;
        }
    }
    public class Native {
        [DllImport("libnope")] public static extern int poke(int x);
        [DllImport("libc")] public static extern void abort();
        [DllImport("libc")] public static extern int raise(int s);
        [DllImport("libc")] public static extern void exit(int s);
    }
    public struct P {
        public int A;
    }
    public static class Ext {
        public static int Half(this string s) {
            return s.Length / 2;
        }
    }
    public class Shelf<T> {
        readonly Dictionary<string, T> d = new Dictionary<string, T>();
        public T Find(string k) {
            return d[k];
        }
        public T this[string k] {
            get {
                return d[k];
            }
        }
        public int Count {
            get {
                return ((string)null).Length;
            }
        }
        public static Shelf<T> operator +(Shelf<T> a, Shelf<T> b) {
            throw new InvalidOperationException("cannot add");
        }
        public event EventHandler Ev {
            add {
                throw new NotSupportedException("no events");
            }
            remove {
            }
        }
    }
    public class Fin {
        ~Fin() {
            throw new InvalidOperationException("finalizer");
        }
    }
    public class Program {
        static async Task<int> Deep(int n) {
            await Task.Yield();
            if (n == 0) throw new ShelfSealed("shelf 7 is sealed\nsecond line: see at Acme.Foo.Bar()");
            return await Deep(n - 1);
        }
        static IEnumerable<int> Lazy() {
            yield return 1;
            object o = "x";
            yield return (int)o;
        }
        static int Local(int n) {
            return 10 / n;
        }
        static void MakeFin() {
            new Fin();
        }
        public static int Main(string[] a) {
            Console.WriteLine("stock starts");
            for (int i = 0; i < 8; i++) Console.WriteLine("info: shelf " + i + " counted");
            var c = a[0];
            if (a.Length > 1 && a[1] == "handler") AppDomain.CurrentDomain.UnhandledException += (s, e) => {
                Console.Error.WriteLine("FATAL unhandled: " + e.ExceptionObject);
            };
            if (a.Length > 1 && a[1] == "exit") AppDomain.CurrentDomain.UnhandledException += (s, e) => {
                Console.Error.WriteLine("FATAL unhandled: " + e.ExceptionObject);
                Environment.Exit(42);
            };
            if (a.Length > 1 && a[1] == "catch") {
                try {
                    return Run(c);
                } catch (Exception e) {
                    Console.Error.WriteLine(e);
                    return 3;
                }
            }
            if (a.Length > 1 && a[1] == "msg") {
                try {
                    return Run(c);
                } catch (Exception e) {
                    Console.Error.WriteLine("stock: " + e.Message);
                    return 3;
                }
            }
            if (a.Length > 1 && a[1] == "trace") {
                try {
                    return Run(c);
                } catch (Exception e) {
                    Console.Error.WriteLine("stock failed: " + e.Message + "\n" + e.StackTrace);
                    return 3;
                }
            }
            return Run(c);
        }
        static int Run(string c) {
            switch (c) {
                case "deep": Deep(3).GetAwaiter().GetResult();
                break;
                case "deepwait": Deep(2).Wait();
                break;
                case "lazy": return Lazy().Sum();
                case "local": return Local(0);
                case "generic": return new Shelf<int>().Find("A-7");
                case "indexer": return new Shelf<P>()["A-7"].A;
                case "prop": return new Shelf<string>().Count;
                case "op": var z = new Shelf<int>() + new Shelf<int>();
                break;
                case "event": new Shelf<int>().Ev += (s, e) => {
                };
                break;
                case "ext": return ((string)null).Half();
                case "lambda": new List<string>{
                    "a", null
                }
                .ForEach(x => Console.WriteLine(x.Length));
                break;
                case "linq": return new[]{
                    1,2
                }
                .First(x => x > 5);
                case "single": return new[]{
                    1,2
                }
                .Single();
                case "whenall": Task.WhenAll(Task.Run(() => { throw new InvalidOperationException("first"); }), Task.Run(() => new TcpClient().Connect("127.0.0.1", 5499))).GetAwaiter().GetResult();
                break;
                case "waitall": Task.WaitAll(Task.Run(() => { throw new InvalidOperationException("first"); }), Task.Run(() => new TcpClient().Connect("127.0.0.1", 5499)));
                break;
                case "pfor": Parallel.For(0, 8, i => { if (i > 2) throw new ShelfSealed("shelf " + i); });
                break;
                case "pool": ThreadPool.QueueUserWorkItem(_ => { int[] x = new int[2]; x[new Random().Next(5, 6)] = 1; });
                Thread.Sleep(2000);
                break;
                case "timer": var t = new Timer(_ => { throw new ShelfSealed("tick"); }, null, 10, 1000);
                Thread.Sleep(2000);
                break;
                case "asyncvoid": AV();
                Thread.Sleep(2000);
                break;
                case "finalizer": MakeFin();
                GC.Collect();
                GC.WaitForPendingFinalizers();
                GC.Collect();
                GC.WaitForPendingFinalizers();
                break;
                case "odd": throw new OddToString();
                case "dll": return Native.poke(1);
                case "abort": Native.abort();
                break;
                case "segv": Native.raise(11);
                Thread.Sleep(500);
                break;
                case "failfast": Environment.FailFast("ledger is inconsistent");
                break;
                case "failfastex": try {
                    new Shelf<int>().Find("A-7");
                } catch (Exception e) {
                    Environment.FailFast("ledger is inconsistent", e);
                }
                break;
                case "dns": Dns.GetHostEntry("db.invalid");
                break;
                case "tcp": new TcpClient("127.0.0.1", 5499);
                break;
                case "listen": var l = new TcpListener(IPAddress.Loopback, 3333);
                l.Start();
                break;
                case "listen80": var k = new TcpListener(IPAddress.Parse("203.0.113.9"), 8080);
                k.Start();
                break;
                case "file": File.ReadAllText("/etc/stock/conf.json");
                break;
                case "dir": File.WriteAllText("/nope/x/y", "z");
                break;
                case "denied": File.WriteAllText("/proc/1/mem2", "z");
                break;
                case "full": using (var f = new FileStream("/dev/full", FileMode.Open)) {
                    f.Write(new byte[9000], 0, 9000);
                    f.Flush(true);
                }
                break;
                case "env": return int.Parse(Environment.GetEnvironmentVariable("STOCK_PORT"));
                case "envreq": throw new InvalidOperationException("STOCK_PORT environment variable is required");
                case "proc": Process.Start("nonesuch");
                break;
                case "reflect": typeof(Program).GetMethod("Local", BindingFlags.NonPublic | BindingFlags.Static).Invoke(null, new object[]{0});
                break;
                case "activator": Activator.CreateInstance(Type.GetType("Acme.Stock.Nope", true));
                break;
                case "cctor": return Bad.X;
                case "cast": object q = "x";
                return (int)q;
                case "overflow": checked {
                    int m = int.MaxValue;
                    m += c.Length;
                    return m;
                }
                case "format": return int.Parse("abc");
                case "enum": Enum.Parse(typeof(ConsoleColor), "Mauve");
                break;
                case "stack": return Rec(1);
                case "mutual": return A1(1);
                case "oom": var big = new List<byte[]>();
                while (true) big.Add(new byte[1 << 26]);
                case "array": var arr = new int[int.MaxValue];
                return arr.Length;
                case "neg": return new int[-c.Length].Length;
                case "sub": return "abc".Substring(5).Length;
                case "disposed": var ms = new MemoryStream();
                ms.Dispose();
                ms.ReadByte();
                break;
                case "modified": var li = new List<int>{
                    1,2
                };
                foreach (var x in li) li.Add(x);
                break;
                case "nullable": int? ni = null;
                return ni.Value;
                case "lock": Monitor.Exit(new object());
                break;
                case "cancel": new CancellationTokenSource(10).Token.WaitHandle.WaitOne();
                throw new OperationCanceledException("deadline");
                case "assert": Debug.Assert(false, "shelf is not sorted");
                break;
                case "rethrow": try {
                    Local(0);
                } catch (Exception e) {
                    throw new ApplicationException("cannot close", new InvalidOperationException("middle", e));
                }
                break;
                case "threads": for (int i = 0; i < 100000; i++) new Thread(() => Thread.Sleep(60000)).Start();
                break;
            }
            return 0;
        }
        static async void AV() {
            await Task.Delay(5);
            throw new ShelfSealed("async void");
        }
        static int Rec(int n) {
            return Rec(n + 1) + 1;
        }
        static int A1(int n) {
            return B1(n + 1) + 1;
        }
        static int B1(int n) {
            Func<int,int> f = A1;
            return f(n) + 1;
        }
    }
    static class Bad {
        public static int X;
        static Bad() {
            X = int.Parse(Environment.GetEnvironmentVariable("STOCK_PORT") ?? throw new InvalidOperationException("STOCK_PORT is not set"));
        }
    }
}

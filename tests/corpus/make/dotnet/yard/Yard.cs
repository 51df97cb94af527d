using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Reflection;

namespace Acme.Yard
{
    public static class Program
    {
        static void Assembly_()
        {
            Assembly.Load("Acme.Nope"); // «assembly»
        }

        static void Assert()
        {
            Trace.Assert(false, "crane has no hook", "hooks: 0");
        }

        static void Descriptors()
        {
            var held = new List<object>();
            while (true)
                held.Add(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        }

        static void Full()
        {
            File.WriteAllText("/dev/full", "x"); // «full»
        }

        static void Listen()
        {
            var first = new HttpListener();
            first.Prefixes.Add("http://*:18542/");
            first.Start();
            var second = new HttpListener();
            second.Prefixes.Add("http://*:18542/");
            second.Start(); // «listen»
        }

        static void Start()
        {
            Process.Start("crane-router"); // «start»
        }

        static void Receive()
        {
            var server = new TcpListener(IPAddress.Loopback, 0);
            server.Start();
            var client = new TcpClient("127.0.0.1", ((IPEndPoint)server.LocalEndpoint).Port);
            client.ReceiveTimeout = 50;
            client.GetStream().Read(new byte[1], 0, 1); // «receive»
        }

        static void Resolve()
        {
            new WebClient().DownloadString("http://tariff.invalid/x"); // «resolve»
        }

        public static void Main(string[] args)
        {
            Console.WriteLine("info: Acme.Yard[0] yard 1.8.0 starting");
            for (int i = 0; i < 5; i++)
                Console.WriteLine("info: Acme.Yard[0] box {0} lifted in {1}ms", i, i * 7);
            switch (args[0])
            {
                case "assembly": Assembly_(); break;
                case "assert": Assert(); break;
                case "descriptors": Descriptors(); break;
                case "full": Full(); break;
                case "listen": Listen(); break;
                case "start": Start(); break;
                case "receive": Receive(); break;
                case "resolve": Resolve(); break;
            }
        }
    }
}

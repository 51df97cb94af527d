using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Acme.Depot.Net
{
    public class Client
    {
        [DllImport("depotcrypt")]
        private static extern int Seal(int value);

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Connect(int port)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Connect(new IPEndPoint(IPAddress.Loopback, port)); // culprit: refused
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Open(int port)
        {
            try
            {
                Connect(port);
            }
            catch (SocketException e)
            {
                throw new InvalidOperationException("cannot open the ledger", e);
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Resolve()
        {
            Dns.GetHostEntry("ledger.shop.invalid"); // culprit: resolve
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Listen(int port)
        {
            new TcpListener(IPAddress.Loopback, port).Start();
            new TcpListener(IPAddress.Loopback, port).Start(); // culprit: listen
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Read()
        {
            File.ReadAllText("/etc/depot.json"); // culprit: read
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Full()
        {
            using (var file = new FileStream("/dev/full", FileMode.Open, FileAccess.Write))
            {
                file.WriteByte(1);
                file.Flush(); // culprit: full
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Library()
        {
            Seal(1); // culprit: library
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public string Setting()
        {
            var url = Environment.GetEnvironmentVariable("DEPOT_DATABASE_URL");
            if (url == null) throw new InvalidOperationException("environment variable DEPOT_DATABASE_URL is not set"); // culprit: setting
            return url;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Wait()
        {
            throw new TimeoutException("The ledger did not answer within 5 s"); // culprit: wait
        }
    }
}

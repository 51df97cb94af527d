using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;

namespace Acme.Depot.Stock
{
    public class Owner
    {
        public string Name;
    }

    public class Shelf
    {
        private Owner owner;
        private readonly List<string> crates = new List<string>();
        private readonly Dictionary<string, object> index = new Dictionary<string, object>();

        [MethodImpl(MethodImplOptions.NoInlining)]
        public int OwnerLength()
        {
            return owner.Name.Length; // culprit: nil
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public string At(int position)
        {
            return crates[position]; // culprit: index
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public int Cell(int position)
        {
            var cells = new int[3];
            return cells[position]; // culprit: array
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public object Find(string crate)
        {
            return index[crate]; // culprit: missing
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public string First()
        {
            return crates.First(); // culprit: first
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public int Weight(string crate)
        {
            index[crate] = "heavy";
            return (int)index[crate]; // culprit: cast
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public int Average(int total)
        {
            return total / crates.Count; // culprit: divide
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public int Depth(int level)
        {
            return Depth(level + 1) + 1; // culprit: recursion
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Seal(string state)
        {
            throw new InvalidOperationException("shelf is sealed: " + state); // culprit: sealed
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void SealAgain(string state)
        {
            throw new InvalidOperationException("shelf is sealed: " + state); // culprit: sealed-again
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Close(string month)
        {
            try
            {
                Average(10);
            }
            catch (DivideByZeroException e)
            {
                throw new InvalidOperationException("cannot close " + month, e);
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void CloseYear(string year)
        {
            try
            {
                Close(year + "-12");
            }
            catch (InvalidOperationException e)
            {
                throw new ApplicationException("cannot close " + year, e);
            }
        }

        public async Task<int> Load()
        {
            await Task.Delay(5);
            return At(7).Length;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Multi()
        {
            throw new InvalidOperationException("first line\nsecond line at position 3\n  third"); // culprit: multi
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Fill()
        {
            var all = new List<byte[]>();
            while (true) all.Add(new byte[1 << 24]); // culprit: heap
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Stop()
        {
            Environment.FailFast("shelf index is corrupt"); // culprit: failfast
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        public void Poke()
        {
            System.Runtime.InteropServices.Marshal.WriteInt64(new IntPtr(8), 1); // culprit: poke
        }
    }
}

// Turns the symbols of Mono's compiler (.mdb) into those that .NET reads (portable .pdb).
// usage: ToPdb IN.exe OUT.exe [PATH PREFIX TO REPLACE, REPLACEMENT]
using System.Collections.Generic;
using System.Linq;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.CompilerServices.SymbolWriter;

class ToPdb
{
    static void Main(string[] args)
    {
        var module = ModuleDefinition.ReadModule(args[0]);
        var symbols = MonoSymbolFile.ReadSymbolFile(args[0] + ".mdb");
        var documents = new Dictionary<string, Document>();
        var types = module.GetTypes().ToList();
        foreach (var method in types.SelectMany(type => type.Methods).Where(method => method.HasBody))
        {
            var entry = symbols.GetMethodByToken(method.MetadataToken.ToInt32());
            if (entry == null) continue;
            foreach (var line in entry.GetLineNumberTable().LineNumbers.Where(line => line.Row > 0 && !line.IsHidden))
            {
                var instruction = method.Body.Instructions.FirstOrDefault(i => i.Offset == line.Offset);
                if (instruction == null) continue;
                var file = entry.CompileUnit.SourceFile.FileName;
                if (args.Length > 3) file = file.Replace(args[2], args[3]);
                if (!documents.TryGetValue(file, out var document)) documents[file] = document = new Document(file);
                method.DebugInformation.SequencePoints.Add(new SequencePoint(instruction, document)
                {
                    StartLine = line.Row, EndLine = line.Row, StartColumn = 1, EndColumn = 2,
                });
            }
        }
        module.Write(args[1], new WriterParameters { WriteSymbols = true, SymbolWriterProvider = new PortablePdbWriterProvider() });
    }
}

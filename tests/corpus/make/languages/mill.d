import std.file, std.stdio;

int at(int[] sails, size_t n) {
    return sails[n]; // «sail»
}

void main(string[] args) {
    writeln("mill 0.3 starting");
    auto sails = [1, 2, 3];
    if (args[1] == "index")
        at(sails, 7);
    else
        writeln(readText("/etc/mill/plan.txt")); // «mill-plan»
}

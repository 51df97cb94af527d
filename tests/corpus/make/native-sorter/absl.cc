// The same with Abseil's handler, whose stack holds the place of the fault only as the program counter.
#include <absl/debugging/failure_signal_handler.h>
#include <absl/debugging/symbolize.h>

struct Lane {
    int* next = nullptr;
    int weigh() const;
};

__attribute__((noinline)) int Lane::weigh() const { return *next + 1; }

int main(int, char** argv) {
    absl::InitializeSymbolizer(argv[0]);
    absl::InstallFailureSignalHandler(absl::FailureSignalHandlerOptions());
    return Lane().weigh();
}

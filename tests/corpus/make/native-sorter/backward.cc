// The same with backward-cpp, which prints sources too.
#define BACKWARD_HAS_DW 1
#include <backward.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

struct Lane {
    std::vector<int> weights;
    int* next = nullptr;
    int weigh() const;
    void close(int number);
};

__attribute__((noinline)) int Lane::weigh() const {
    int total = weights.size();
    total += *next;  // «backward-weigh»
    return total;
}

__attribute__((noinline)) void Lane::close(int number) {
    throw std::runtime_error("lane " + std::to_string(number) + " closed");  // «backward-close»
}

int main(int argc, char**) {
    backward::SignalHandling handling;
    Lane lane;
    puts("[info] sorter starting");
    fflush(stdout);
    if (argc > 1) lane.close(9);
    return lane.weigh();
}

// Mistakes that libstdc++ finds in its debug mode.
#include <cstdio>
#include <vector>

__attribute__((noinline)) static int weigh(const std::vector<int>& weights, int at) { return weights[at]; }

__attribute__((noinline)) static int first(std::vector<int> weights) {
    auto at = weights.begin();
    weights.clear();
    return *at;
}

int main(int argc, char**) {
    puts("[info] sorter starting");
    fflush(stdout);
    std::vector<int> weights{1, 2, 3};
    return argc > 1 ? first(weights) : weigh(weights, 4 + argc);
}

#include <any>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace mixer {

struct LaneClosed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Silent {};

class Channel {
public:
    virtual ~Channel() = default;
    int gain(std::size_t at) const { return gains_.at(at); }
    int named(const std::string& name) const { return names_.at(name); }
    void check(int left, int right) const { assert(left == right && "gains of both sides"); }  // «check»

private:
    std::deque<int> gains_{1, 2};
    std::map<std::string, int> names_{{"left", 1}};
};

__attribute__((noinline)) int sum(const int* gains, int count) {
    int total = 0;
    for (int at = 0; at <= count; at++) total += gains[at];  // «sum»
    return total;
}

__attribute__((noinline)) int heap_overflow(int count) {
    int* gains = new int[count]();
    int total = sum(gains, count);
    delete[] gains;
    return total;
}

__attribute__((noinline)) int after_free() {
    auto* gain = new int(4);
    delete gain;
    return *gain;  // «after-free»
}

__attribute__((noinline)) void leak(int n) {
    volatile char* lost = static_cast<char*>(std::malloc(n));  // «leak»
    lost[0] = 1;
    lost = nullptr;
}

__attribute__((noinline)) int overflow(int a, int b) {
    return a + b;  // «overflow»
}

__attribute__((noinline)) int null(int* at) {
    return *at;  // «null»
}

__attribute__((noinline)) int deep(int n) {
    volatile char room[256];
    room[0] = static_cast<char>(n);
    return deep(n + 1) + room[0];  // «deep»
}

int counter = 0;

__attribute__((noinline)) void count(int times) {
    for (int n = 0; n < times; n++) counter++;  // «count»
}

void race() {
    std::thread one(count, 10000), two(count, 10000);
    one.join();
    two.join();
}

}  // namespace mixer

struct Base {
    Base() { start(); }
    void start() { play(); }
    virtual void play() = 0;
};

struct Player : Base {
    void play() override {}
};

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::string what = argc > 1 ? argv[1] : "";
    for (int n = 0; n < 5; n++) std::printf("mixer: channel %d gain %d dB\n", n, -n);
    mixer::Channel channel;
    int one = argc - 1;
    if (what == "at") return channel.gain(9);
    if (what == "map") return channel.named("right");
    if (what == "umap") return std::unordered_map<std::string, int>{}.at("right");
    if (what == "closed") throw mixer::LaneClosed("lane 9 is closed");
    if (what == "int") throw 42;
    if (what == "silent") throw mixer::Silent{};
    if (what == "alloc") return static_cast<int>(std::vector<char>(static_cast<std::size_t>(1) << 46).size());
    if (what == "cast") return static_cast<int>(std::any_cast<std::string>(std::any(4)).size());
    if (what == "optional") return std::optional<int>{}.value();
    if (what == "stoi") return std::stoi("four");
    if (what == "filesystem") return static_cast<int>(std::filesystem::file_size("/etc/mixer/lanes.toml"));
    if (what == "function") std::function<void()>{}();
    if (what == "joinable") std::thread([] { for (;;) std::this_thread::yield(); });
    if (what == "threads") { std::vector<std::thread> all; for (;;) all.emplace_back([] { std::this_thread::sleep_for(std::chrono::seconds(9)); }); }
    if (what == "pure") Player{};
    if (what == "assert") channel.check(one, one + 1);
    if (what == "noexcept") { auto f = []() noexcept { throw std::runtime_error("thrown where nothing may be"); }; f(); }
    if (what == "free") { int here; std::free(&here + one); }
    if (what == "double") { auto* p = static_cast<char*>(std::malloc(64)); std::free(p); std::free(p); }
    if (what == "corrupt") { auto* p = static_cast<char*>(std::malloc(24)); auto* q = static_cast<char*>(std::malloc(2000)); std::memset(p, 65, 64); std::free(q); std::free(std::malloc(3000)); }
    if (what == "smash") { char name[8]; volatile char* at = name; for (int n = 0; n < 64 + one; n++) at[n] = 65; std::puts(name); }
    if (what == "fortify") { char name[8]; std::strcpy(name, std::string(static_cast<std::size_t>(one) + 31, 'x').c_str()); std::puts(name); }
    if (what == "heap") return mixer::heap_overflow(4 * one);
    if (what == "after_free") return mixer::after_free();
    if (what == "leak") { for (int n = 1; n < 4; n++) mixer::leak(n * 100); return 0; }
    if (what == "overflow") return mixer::overflow(2147483647, one) & 1;
    if (what == "null") return mixer::null(nullptr);
    if (what == "deep") return mixer::deep(one);
    if (what == "race") { mixer::race(); std::printf("mixer: counted %d\n", mixer::counter); return 0; }
    if (what == "abort") { std::fprintf(stderr, "mixer: clock went backwards, aborting\n"); std::abort(); }
    if (what == "msan") { int* gains = new int[4]; if (gains[one]) std::puts("loud"); return 0; }
    return 0;
}

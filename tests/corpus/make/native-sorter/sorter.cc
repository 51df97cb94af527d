// A sorter of parcels that prints its own stack when it dies: with Boost, with glibc's backtrace(), or not at all.
#include <execinfo.h>
#include <unistd.h>

#include <boost/stacktrace.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
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
    total += *next;  // «weigh»
    return total;
}

__attribute__((noinline)) void Lane::close(int number) {
    throw std::runtime_error("lane " + std::to_string(number) + " closed");  // «close»
}

static void die_again(int signal) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

static void say_and_stack(int signal) {
    std::cerr << "caught signal " << signal << "\n" << boost::stacktrace::stacktrace();
    die_again(signal);
}

static void stack_only(int signal) {
    std::cerr << boost::stacktrace::stacktrace();
    die_again(signal);
}

static void symbols_only(int signal) {
    void* frames[64];
    int count = backtrace(frames, 64);
    fprintf(stderr, "Error: signal %d:\n", signal);
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
    _exit(1);
}

static void on_terminate() {
    try {
        std::rethrow_exception(std::current_exception());
    } catch (const std::exception& thrown) {
        std::cerr << "unhandled exception: " << thrown.what() << "\n";
    }
    std::cerr << boost::stacktrace::stacktrace();
    std::abort();
}

static void scan(int parcels) {
    for (int n = 0; n < parcels; n++)
        printf("[2026-11-25 01:44:05.%03d] [info] parcel %06d lane %d grams %d\n", n * 7, n * 77777, n % 12, n * 931);
    fflush(stdout);
}

int main(int argc, char** argv) {
    std::string how = argc > 1 ? argv[1] : "";
    Lane lane;
    scan(12);
    if (how == "say") std::signal(SIGSEGV, say_and_stack);
    if (how == "stack") std::signal(SIGSEGV, stack_only);
    if (how == "symbols") std::signal(SIGSEGV, symbols_only);
    if (how == "abort") std::signal(SIGABRT, stack_only);
    if (how == "terminate") std::set_terminate(on_terminate);
    if (how == "unfinished") std::cerr << "closing lane 9 ... ";
    if (how == "handled") {
        try {
            lane.close(9);
        } catch (const std::exception& thrown) {
            std::cerr << "handled: " << thrown.what() << "\n" << boost::stacktrace::stacktrace();
        }
        scan(60);
        return 0;
    }
    if (how == "abort" || how == "terminate" || how == "unfinished") lane.close(9);
    return lane.weigh();
}

// What GLib says of its own checks and of fatal errors.
#include <glib.h>

#include <string>

namespace lanes {
__attribute__((noinline)) void check(int gates) {
    g_assert_cmpint(gates, ==, 4);  // «glib-check»
}
}  // namespace lanes

int main(int argc, char** argv) {
    g_print("[info] sorter starting\n");
    if (argc > 1 && std::string(argv[1]) == "check") lanes::check(argc);
    g_error("lane %d closed", 9);
}

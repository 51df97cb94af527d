#include <glog/logging.h>

#include <string>

namespace lanes {
__attribute__((noinline)) void check(int gates) {
    CHECK_EQ(gates, 4) << "gates of GVA";  // «glog-check»
}
__attribute__((noinline)) void fatal(const std::string& name) {
    LOG(FATAL) << "lane " << name << " is closed";  // «glog-fatal»
}
__attribute__((noinline)) int fault(volatile int* at) { return *at; }
}  // namespace lanes

int main(int argc, char** argv) {
    FLAGS_logtostderr = true;
    google::InitGoogleLogging(argv[0]);
    std::string what = argc > 1 ? argv[1] : "";
    if (what == "fault") google::InstallFailureSignalHandler();
    for (int n = 0; n < 4; n++) LOG(INFO) << "scan parcel " << n;
    if (what == "check") lanes::check(argc);
    if (what == "fatal") lanes::fatal("9");
    if (what == "fault") return lanes::fault(nullptr);
}

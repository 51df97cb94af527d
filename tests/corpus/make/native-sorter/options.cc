// Command lines that CLI11 and Boost refuse, a file that yaml-cpp cannot read.
#include <CLI/CLI.hpp>
#include <boost/program_options.hpp>
#include <string>
#include <yaml-cpp/yaml.h>

static int cli(int argc, char** argv) {
    CLI::App app{"sorter"};
    std::string config;
    int lanes = 0;
    app.add_option("--config", config)->required();
    app.add_option("--lanes", lanes);
    CLI11_PARSE(app, argc, argv);
    return 0;
}

static int boost_options(int argc, char** argv) {
    namespace options = boost::program_options;
    options::options_description known("sorter");
    known.add_options()("config", options::value<std::string>()->required(), "file");
    options::variables_map values;
    options::store(options::parse_command_line(argc, argv, known), values);
    options::notify(values);
    return 0;
}

int main(int argc, char** argv) {
    std::string how = argc > 1 ? argv[1] : "";
    if (how == "cli") return cli(argc - 1, argv + 1);
    if (how == "boost") return boost_options(argc - 1, argv + 1);
    return YAML::LoadFile(how)["lanes"].as<int>();
}

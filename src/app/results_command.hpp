#pragma once

#include <string>

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab results show|compare|export|verify|repair|report`. The chosen command runs when `root` has parsed the line and
// leaves its exit code in `exit_code`; it throws Error where the command line, a file or the disk is at fault.
void add_results_command(CLI::App& root, int& exit_code);

// What `results show` prints.
void show_results(const std::string& file, bool json, bool layers = false);

}  // namespace edgelab::app

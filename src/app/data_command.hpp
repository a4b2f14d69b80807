#pragma once

namespace CLI {
class App;
}

namespace edgelab::app {

// Adds `data fetch|generate|info` to `root`. The callbacks run while the command line is parsed, throw Error, and leave
// `exit_code` at 0.
void add_data_command(CLI::App& root, int& exit_code);

}  // namespace edgelab::app

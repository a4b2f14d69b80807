#pragma once

#include <string>

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab top [RESULTS.h5] [--batch NAME] [--once]`: a running batch, drawn anew every second until it ends or the person
// presses q; one frame of plain text where stdout is no terminal, or with --once. Exit codes: 0; 2 if it is not clear which
// batch is meant; 3 if none runs, or the file is no batch's.
void add_top_command(CLI::App& root);

// The view of the running batch `name`, as above.
void watch_batch(const std::string& name);

}  // namespace edgelab::app

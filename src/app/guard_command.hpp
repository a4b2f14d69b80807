#pragma once

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab guard --mark WORD [--grace SECONDS] -- COMMAND…`, hidden: what `edgelab submit` has mpirun start in a rank's place
// (batch/supervisor/guard.hpp).
void add_guard_command(CLI::App& root, int& exit_code);

}  // namespace edgelab::app

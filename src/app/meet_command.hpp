#pragma once

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab meet`, under mpirun: the ranks come together, see that they are of one build, and end. For a supervisor that looks
// for the host which can't (batch/supervisor/trial.hpp); not listed.
void add_meet_command(CLI::App& root, int& exit_code);

}  // namespace edgelab::app

#pragma once

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab doctor [--hosts FILE] [--json]`: looks at every host of a cluster, or at this machine, and says what would stop or
// spoil a run. `exit_code` is set when the command has run: 0, or 3 if a run would not come through.
void add_doctor_command(CLI::App& root, int& exit_code);

}  // namespace edgelab::app

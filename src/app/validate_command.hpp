#pragma once

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab validate FILE… [--set KEY=VALUE] [--only ID] [--json]`: every error of the job files on stderr, one a line, or
// a line that counts the jobs and hosts. `exit_code` is set when the command has run: 0, or 2, 3, 1 by the errors.
void add_validate_command(CLI::App& root, int& exit_code);

}  // namespace edgelab::app

#pragma once

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab results compare`, a command of `group`: two files, two sides of several, or runs against what was accepted before.
// Its exit code is 1 where a bound that the caller gave was broken. Throws Error.
void add_compare_command(CLI::App& group, int& exit_code);

}  // namespace edgelab::app

#pragma once

namespace CLI {
class App;
}

namespace edgelab::app {

// Adds `model info ARCH|FILE [--json]` and `model convert IN OUT --dtype fp32|fp16|bf16` to `root`. The callbacks run while the
// command line is parsed, throw Error, and leave `exit_code` at 0.
void add_model_command(CLI::App& root, int& exit_code);

}  // namespace edgelab::app

#pragma once

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab schema [--markdown]`: the JSON Schema of job files, or the key tables of docs/jobs.md, on stdout.
void add_schema_command(CLI::App& root, int& exit_code);

}  // namespace edgelab::app

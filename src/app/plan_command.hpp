#pragma once

namespace CLI {
class App;
}

namespace edgelab::app {

// `edgelab plan FILE… [--set KEY=VALUE] [--only ID] [--json]`: a dry run. What would run where, in which order, how long,
// with how much memory and how many bytes on the wire, and why that layout. Throws Error and batch::JobFileErrors.
void add_plan_command(CLI::App& root, int& exit_code);

}  // namespace edgelab::app

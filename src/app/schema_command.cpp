#include "app/schema_command.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "batch/job_file/batch.hpp"

namespace edgelab::app {

void add_schema_command(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("schema", "Print the JSON Schema of job files, for completion in editors");
  const auto markdown = std::make_shared<bool>(false);
  command->add_flag("--markdown", *markdown, "Print the key reference of docs/jobs.md instead");
  command->callback([markdown, &exit_code] {
    std::cout << (*markdown ? batch::key_reference() : batch::json_schema()) << std::flush;
    exit_code = 0;
  });
}

}  // namespace edgelab::app

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <string>

#include "app/data_command.hpp"
#include "app/model_command.hpp"
#include "app/plan_command.hpp"
#include "app/results_command.hpp"
#include "app/run_command.hpp"
#include "app/schema_command.hpp"
#include "app/validate_command.hpp"
#include "batch/job_file/batch.hpp"
#include "core/build_info.hpp"
#include "core/error.hpp"

// Exit codes are those of docs/jobs.md; CLI11's own become 2.
int main(int argc, char** argv) {
  using namespace edgelab;
  CLI::App root{"edgelab: a batch system for edge-AI work. mpirun -n 4 edgelab run jobs/demo.yaml", "edgelab"};
  root.require_subcommand(1);
  root.set_version_flag("--version", std::string(build_info::version()) + " " + std::string(build_info::git_commit()));
  int exit_code = 0;
  app::add_run_command(root, exit_code);
  app::add_validate_command(root, exit_code);
  app::add_plan_command(root, exit_code);
  app::add_results_command(root, exit_code);
  app::add_data_command(root, exit_code);
  app::add_model_command(root, exit_code);
  app::add_schema_command(root, exit_code);
  try {
    root.parse(argc, argv);
    return exit_code;
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? 0 : 2;
  } catch (const batch::JobFileErrors& errors) {
    for (const Error& error : errors.errors()) std::fprintf(stderr, "%s\n", error.what());
    return errors.exit_code();
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return exit_code_of(error.kind());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}

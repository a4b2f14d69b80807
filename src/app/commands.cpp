#include "app/commands.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "app/data_command.hpp"
#include "app/doctor_command.hpp"
#include "app/guard_command.hpp"
#include "app/meet_command.hpp"
#include "app/model_command.hpp"
#include "app/plan_command.hpp"
#include "app/results_command.hpp"
#include "app/run_command.hpp"
#include "app/schema_command.hpp"
#include "app/steering_commands.hpp"
#include "app/submit_command.hpp"
#include "app/top_command.hpp"
#include "app/validate_command.hpp"
#include "batch/job_file/batch.hpp"
#include "core/build_info.hpp"
#include "core/error.hpp"

namespace edgelab::app {

// CLI11's own exit codes become 2.
int run_commands(int argc, char** argv, batch::TaskFunction run_task, const std::filesystem::path& host_root) {
  CLI::App root{"edgelab: a batch system for edge-AI work. mpirun -n 4 edgelab run jobs/demo.yaml", "edgelab"};
  root.require_subcommand(1);
  root.set_version_flag("--version", std::string(build_info::version()) + " " + std::string(build_info::git_commit()));
  int exit_code = 0;
  add_run_command(root, exit_code, std::move(run_task), host_root);
  add_submit_command(root, exit_code);
  add_validate_command(root, exit_code);
  add_plan_command(root, exit_code);
  add_results_command(root, exit_code);
  add_data_command(root, exit_code);
  add_model_command(root, exit_code);
  add_doctor_command(root, exit_code);
  add_steering_commands(root, exit_code);
  add_top_command(root);
  add_schema_command(root, exit_code);
  add_guard_command(root, exit_code);
  add_meet_command(root, exit_code);
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

}  // namespace edgelab::app

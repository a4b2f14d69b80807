#include "app/guard_command.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "batch/supervisor/guard.hpp"

namespace edgelab::app {

void add_guard_command(CLI::App& root, int& exit_code) {
  CLI::App* command = root.add_subcommand("guard", "Run a rank and tell the supervisor how it ended; edgelab submit uses it");
  command->group("");  // not in the help
  const auto settings = std::make_shared<batch::GuardSettings>();
  command->add_option("--mark", settings->mark, "Word that the report carries")->required();
  const auto grace = std::make_shared<int>(static_cast<int>(settings->grace.count()));
  command->add_option("--grace", *grace, "Seconds between an order to end and SIGKILL")->check(CLI::Range(1, 3600));
  command->add_flag("--survives", settings->survives, "The other ranks go on when this one ends");
  command->add_option("COMMAND", settings->command, "The rank's, behind --")->required();
  command->callback([settings, grace, &exit_code] {
    settings->grace = std::chrono::seconds(*grace);
    exit_code = batch::guard(*settings);
  });
}

}  // namespace edgelab::app

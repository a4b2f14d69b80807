#include "app/meet_command.hpp"

#include <CLI/CLI.hpp>
#include <optional>

#include "app/same_build.hpp"
#include "core/error.hpp"
#include "parallel/communicator.hpp"
#include "parallel/environment.hpp"

namespace edgelab::app {
namespace {

int meet() {
  const parallel::Environment environment;
  const parallel::Communicator world = parallel::Communicator::world();
  const std::optional<Error> error = different_builds(world);
  if (!error) return 0;
  if (world.rank() == 0) throw *error;
  return exit_code_of(error->kind());
}

}  // namespace

void add_meet_command(CLI::App& root, int& exit_code) {
  root.add_subcommand("meet", "Whether the ranks that mpirun starts come together")->group("")->callback([&exit_code] { exit_code = meet(); });
}

}  // namespace edgelab::app

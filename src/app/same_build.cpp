#include "app/same_build.hpp"

#include <span>
#include <string>
#include <vector>

#include "core/build_info.hpp"
#include "parallel/numbers.hpp"

namespace edgelab::app {

std::optional<Error> different_builds(const parallel::Communicator& world) {
  const std::string mine = std::string(build_info::version()) + " " + std::string(build_info::git_commit());
  std::vector<std::string> builds;
  for (const parallel::Bytes& bytes : world.all_gather(std::as_bytes(std::span(mine)))) {
    builds.push_back(parallel::text_of(bytes));
  }
  for (std::size_t rank = 0; rank < builds.size(); ++rank) {
    if (builds[rank] == builds[0]) continue;
    return Error(ErrorKind::environment, "the ranks run different builds of edgelab")
        .got("rank " + std::to_string(rank) + ": " + builds[rank])
        .expected(builds[0])
        .hint("copy one binary to all hosts");
  }
  return std::nullopt;
}

}  // namespace edgelab::app

#include "batch/control/waits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace edgelab::batch {
namespace {

constexpr std::size_t kMostNamed = 3;

std::string seconds_of(std::int64_t ns) { return fmt::format("{:.1f} s", static_cast<double>(ns) / 1e9); }

// Of two that wait for each other, what was sent last never came.
std::string words_on_a_link(const std::vector<MemberWait>& waits, const std::function<std::string(int)>& name) {
  for (const MemberWait& one : waits) {
    const auto other = std::find_if(waits.begin(), waits.end(), [&](const MemberWait& each) { return each.rank == one.peer && each.peer == one.rank; });
    if (other == waits.end()) continue;
    return fmt::format("; {} and {} waited {} for each other: is the link between them up?", name(std::min(one.rank, one.peer)),
                       name(std::max(one.rank, one.peer)), seconds_of(std::min(one.waited_ns, other->waited_ns)));
  }
  return "";
}

}  // namespace

std::string words_on_waits(std::vector<MemberWait> waits, std::size_t members, std::int64_t limit_ns, const std::function<std::string(int rank)>& name) {
  std::erase_if(waits, [&](const MemberWait& wait) { return 5 * wait.waited_ns < limit_ns; });
  std::string words = words_on_a_link(waits, name);
  if (!words.empty()) return words;
  std::stable_sort(waits.begin(), waits.end(), [](const MemberWait& a, const MemberWait& b) { return a.waited_ns > b.waited_ns; });
  // Of all that wait for all, none is late: what one of them sent never came.
  const bool for_all = std::all_of(waits.begin(), waits.end(), [](const MemberWait& wait) { return wait.peer == CancelToken::kEverybody; });
  if (for_all && members > 1 && waits.size() == members) {
    return fmt::format("; all {} ranks waited {} for each other: is a link between two of them down? edgelab doctor --links asks each",
                       members, seconds_of(waits.back().waited_ns));
  }
  if (waits.size() > kMostNamed) waits.resize(kMostNamed);
  for (const MemberWait& wait : waits) {
    words += fmt::format("; {} waited {} for {}", name(wait.rank), seconds_of(wait.waited_ns), wait.peer == CancelToken::kEverybody ? "the other ranks" : name(wait.peer));
  }
  return words;
}

}  // namespace edgelab::batch

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/cancel.hpp"

namespace edgelab::batch {

// What a member of an attempt had been waiting for when it was told to stop.
struct MemberWait {
  int rank = 0;
  int peer = CancelToken::kEverybody;
  std::int64_t waited_ns = 0;
};

// Who kept an attempt that ran past its time limit, as far as its members' waits of a fifth of that time or longer tell: "; rank 1 on
// pi2 and rank 2 on pi3 waited 58.2 s for each other: is the link between them up?"; or that all of its `members` waited for each other; or
// the longest waits, three at most. Empty if nobody waited. `name`: "rank 2 on pi3".
std::string words_on_waits(std::vector<MemberWait> waits, std::size_t members, std::int64_t limit_ns, const std::function<std::string(int rank)>& name);

}  // namespace edgelab::batch

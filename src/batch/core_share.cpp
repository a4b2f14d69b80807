#include "batch/core_share.hpp"

#include <algorithm>

namespace edgelab::batch {

std::vector<int> core_share(const std::vector<int>& cores, int index, int count) {
  const int total = static_cast<int>(cores.size());
  if (total == 0) return {};
  if (count >= total) return {cores[static_cast<std::size_t>(index % total)]};
  const int each = total / count, extra = total % count;
  const int begin = index * each + std::min(index, extra);
  const int length = each + (index < extra ? 1 : 0);
  return {cores.begin() + begin, cores.begin() + begin + length};
}

std::vector<int> cores_of_job(const std::vector<int>& cores, int index, int count, std::optional<int> threads) {
  std::vector<int> share = core_share(cores, index, count);
  return threads.value_or(1) > static_cast<int>(share.size()) ? cores : share;
}

}  // namespace edgelab::batch

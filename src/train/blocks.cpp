#include "train/blocks.hpp"

#include <algorithm>

namespace edgelab::train {

std::vector<Block> blocks_of(std::span<const std::size_t> sizes) {
  std::vector<Block> blocks;
  for (std::size_t array = 0; array < sizes.size(); ++array) {
    for (std::size_t begin = 0; begin < sizes[array]; begin += kBlockFloats)
      blocks.push_back({array, begin, std::min(kBlockFloats, sizes[array] - begin)});
  }
  return blocks;
}

}  // namespace edgelab::train

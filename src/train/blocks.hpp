#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace edgelab::train {

// Arrays of floats cut into blocks, so that threads share the work evenly however long each array is, and so that sums over
// blocks come out the same however many threads there are.
struct Block {
  std::size_t array = 0, begin = 0, size = 0;
};

inline constexpr std::size_t kBlockFloats = 16384;  // 64 KB: some of each array fit into a core's cache

std::vector<Block> blocks_of(std::span<const std::size_t> sizes);

}  // namespace edgelab::train

#include "data/tensor_pool.hpp"

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace edgelab::data {

struct TensorPool::Unused {
  struct Block {
    std::size_t bytes;
    std::shared_ptr<std::byte> memory;
  };
  std::mutex mutex;
  std::vector<Block> blocks;

  std::shared_ptr<std::byte> take(std::size_t bytes) {
    {
      const std::lock_guard lock(mutex);
      const auto found = std::ranges::find(blocks, bytes, &Block::bytes);
      if (found != blocks.end()) {
        auto memory = std::move(found->memory);
        blocks.erase(found);
        return memory;
      }
    }
    return allocate_aligned(bytes);
  }

  // Comes from a destructor: where there is no memory for the note, the block goes.
  void put(std::size_t bytes, std::shared_ptr<std::byte> memory) noexcept {
    const std::lock_guard lock(mutex);
    try {
      blocks.push_back({bytes, std::move(memory)});
    } catch (const std::bad_alloc&) {
    }
  }
};

TensorPool::TensorPool() : unused_(std::make_shared<Unused>()) {}

Tensor TensorPool::take(const Shape& shape) const {
  const std::size_t bytes = static_cast<std::size_t>(shape.elements()) * sizeof(float);
  auto memory = unused_->take(bytes);
  std::byte* data = memory.get();
  std::shared_ptr<const void> owner(
      data, [unused = unused_, bytes, memory = std::move(memory)](const void*) mutable { unused->put(bytes, std::move(memory)); });
  return {DType::f32, shape, data, std::move(owner)};
}

}  // namespace edgelab::data

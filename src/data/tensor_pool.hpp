#pragma once

#include <memory>

#include "core/tensor.hpp"

namespace edgelab::data {

// Memory that is used again for batch after batch: fresh memory comes from the kernel a page at a time, which made a loader
// of 128 images of 224 pixels four times slower. Copies share; any thread may take. Memory comes back when the last copy of
// its tensor goes, and tensors may outlive the pool.
class TensorPool {
 public:
  TensorPool();

  // f32. What is in it is left over from before: whoever takes it writes all of it.
  Tensor take(const Shape& shape) const;

 private:
  struct Unused;
  std::shared_ptr<Unused> unused_;
};

}  // namespace edgelab::data

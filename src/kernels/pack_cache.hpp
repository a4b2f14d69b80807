#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/tensor.hpp"

namespace edgelab::kernels {

// Weights in the layouts that kernels want, made once per (tensor, layout) and shared by all plans of a model: one plan
// a batch size would otherwise hold one copy each. Keeps the source tensors alive, since their address is the key.
// Safe to use from several threads.
class PackCache {
 public:
  // The packed form of `source` under `layout` (any bytes that name it), from the cache or from make().
  Tensor get(const Tensor& source, const std::vector<std::uint8_t>& layout, const std::function<Tensor()>& make);
  std::size_t bytes() const;

 private:
  struct Entry {
    Tensor source, packed;
  };
  mutable std::mutex mutex_;
  std::map<std::pair<const std::byte*, std::vector<std::uint8_t>>, Entry> entries_;
};

}  // namespace edgelab::kernels

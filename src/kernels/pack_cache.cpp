#include "kernels/pack_cache.hpp"

namespace edgelab::kernels {

Tensor PackCache::get(const Tensor& source, const std::vector<std::uint8_t>& layout, const std::function<Tensor()>& make) {
  const std::lock_guard lock(mutex_);
  const auto key = std::make_pair(source.data(), layout);
  const auto known = entries_.find(key);
  if (known != entries_.end()) return known->second.packed;
  Tensor packed = make();
  entries_.emplace(key, Entry{source, packed});
  return packed;
}

std::size_t PackCache::bytes() const {
  const std::lock_guard lock(mutex_);
  std::size_t total = 0;
  for (const auto& [key, entry] : entries_) total += entry.packed.bytes();
  return total;
}

}  // namespace edgelab::kernels

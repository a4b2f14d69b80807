#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace edgelab {

// SplitMix64 (Steele, Lea, Flood 2014) over a counter: the n-th number depends on the key and n alone, so that any rank
// or thread can draw any part of a stream, and the stream is the same on every machine and compiler.
class CounterRandom {
 public:
  explicit CounterRandom(std::uint64_t key, std::uint64_t counter = 0) : key_(mix(key + 0x9E3779B97F4A7C15u)), counter_(counter) {}

  std::uint64_t next_bits() { return mix(key_ + 0x9E3779B97F4A7C15u * ++counter_); }
  float uniform() { return static_cast<float>(next_bits() >> 40) * 0x1p-24f; }  // [0, 1)
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  std::uint64_t below(std::uint64_t bound) { return static_cast<std::uint64_t>((static_cast<Wide>(next_bits()) * bound) >> 64); }
  float normal();  // mean 0, variance 1 (Box-Muller, one of the pair)

 private:
  __extension__ typedef unsigned __int128 Wide;
  static std::uint64_t mix(std::uint64_t bits);

  std::uint64_t key_;
  std::uint64_t counter_;
};

// A key for the stream of `name` under `seed` (FNV-1a), the same on every machine.
std::uint64_t stream_key(std::uint64_t seed, std::string_view name);

// 16 hexadecimal digits of the system's entropy, for names that nobody else has: another each time.
std::string random_name();

}  // namespace edgelab

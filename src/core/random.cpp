#include "core/random.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <random>

namespace edgelab {

std::uint64_t CounterRandom::mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
  return bits ^ (bits >> 31);
}

float CounterRandom::normal() {
  // Double, and 53 bits for the radius: the logarithm must not see zero.
  const double radius = (static_cast<double>(next_bits() >> 11) + 1.0) * 0x1p-53;
  const double angle = 2.0 * std::numbers::pi * (static_cast<double>(next_bits() >> 11) * 0x1p-53);
  return static_cast<float>(std::sqrt(-2.0 * std::log(radius)) * std::cos(angle));
}

std::uint64_t stream_key(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325u ^ seed;
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3u;
  return hash;
}

std::string random_name() {
  std::random_device source;
  return fmt::format("{:08x}{:08x}", source(), source());
}

}  // namespace edgelab

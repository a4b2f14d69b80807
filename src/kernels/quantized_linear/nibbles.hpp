#pragma once

#include <cstddef>
#include <cstdint>

namespace edgelab::kernels {

// Numbers of 4 bits, two to a byte: byte i holds number i below and number count/2 + i above, so that unpacking moves no lanes.
// `count` is even.
void pack_nibbles(const std::int8_t* from, std::uint8_t* to, std::size_t count);
void unpack_nibbles(const std::uint8_t* from, std::int8_t* to, std::size_t count);

}  // namespace edgelab::kernels

#pragma once

#include <cstdint>

#include "core/shape.hpp"
#include "kernels/layout.hpp"
#include "kernels/message/transport.hpp"

// What the message ops share.
namespace edgelab::kernels::message {

// How a value travels must not hang on what one rank's kernels like best: maps with their channels last, as almost all of them do,
// images and all else plain.
inline bool travels_channels_last(const Shape& shape) {
  constexpr std::int64_t kMostOfAnImage = 4;
  return shape.rank() == 4 && shape[1] > kMostOfAnImage;
}
// Of a value, or of the part of one that `whole` is the shape of.
inline Layout travelling_layout(const TensorType& type, const Shape& whole) { return travels_channels_last(whole) ? Layout::channels_last(type) : Layout::plain(type); }

// Elements of a row with one scale: the last axis, or a pixel's channels.
inline std::int64_t row_width(const Shape& shape) { return travels_channels_last(shape) ? shape[1] : shape.back(); }

}  // namespace edgelab::kernels::message

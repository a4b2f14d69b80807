#pragma once

#include "kernels/op.hpp"
#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

// f32 → u8: q = clamp(round(x / scale) + zero_point, 0, 255), any shape and layout.
struct Quantize {
  static constexpr std::string_view kName = "quantize";
  U8Grid grid;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType>) const { return inputs[0].elements(); }
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// u8 → f32: x = (q − zero_point) · scale.
struct Dequantize {
  static constexpr std::string_view kName = "dequantize";
  U8Grid grid;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType>) const { return inputs[0].elements(); }
  std::string text() const;
  static std::span<const Implementation> implementations();
};

Offer quantize_simd(const CallSite& site);  // by the team, in the layout that is offered
Offer quantize_reference(const CallSite& site);
Offer dequantize_simd(const CallSite& site);
Offer dequantize_reference(const CallSite& site);

}  // namespace edgelab::kernels

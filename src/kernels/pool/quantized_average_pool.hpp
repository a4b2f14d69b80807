#pragma once

#include "kernels/op.hpp"
#include "kernels/u8_grid.hpp"

namespace edgelab::kernels {

// GlobalAveragePool of bytes: x u8 [N, C, H, W] → f32 [N, C], the exact sum of the distances to the zero point times
// f32(scale / (H · W)).
struct QuantizedAveragePool {
  static constexpr std::string_view kName = "quantized_average_pool";
  U8Grid input;

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType>) const { return inputs[0].elements(); }
  std::string text() const { return ""; }
  static std::span<const Implementation> implementations();

  float factor(std::int64_t pixels) const { return static_cast<float>(static_cast<double>(input.scale) / static_cast<double>(pixels)); }
};

Offer quantized_average_pool_tile(const CallSite& site);  // a step by the team, channels last
Offer quantized_average_pool_reference(const CallSite& site);

}  // namespace edgelab::kernels

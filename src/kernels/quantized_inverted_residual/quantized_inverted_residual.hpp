#pragma once

#include <vector>

#include "kernels/op.hpp"
#include "kernels/quantized_conv2d/quantized_conv2d.hpp"

namespace edgelab::kernels {

// InvertedResidual in integers: two or three QuantizedConv2d whose values between each other are bytes that stay in cache.
// The expansion is 1×1 on bytes, or a network's first convolution, which reads f32; the depthwise one 3×3 with padding 1; the last
// one 1×1, and its residual, if there is one, is x.
// Inputs: x u8 or f32 [N, C, H, W]; then for each convolution its weight s8, the weight's scale f32 and the bias f32. Output u8.
struct QuantizedInvertedResidual {
  static constexpr std::string_view kName = "quantized_inverted_residual";
  static constexpr DType compute = DType::s8;
  std::vector<QuantizedConv2d> convolutions;  // in their order

  bool expand() const { return convolutions.size() == 3; }
  const QuantizedConv2d& depthwise() const { return convolutions[convolutions.size() - 2]; }
  const QuantizedConv2d& project() const { return convolutions.back(); }
  // Of each convolution, the weight's place among the inputs; scale and bias are behind it.
  static std::size_t weight_input(std::size_t convolution) { return 1 + 3 * convolution; }
  // The inputs of one of them, where its image is `x`; for the last one with a residual, the block's own x is the residual.
  template <class T> std::vector<T> inputs_of(std::size_t convolution, std::span<const T> block, const T& x) const {
    const T* weight = block.data() + weight_input(convolution);
    std::vector<T> inputs = {x, weight[0], weight[1], weight[2]};
    if (convolutions[convolution].residual) inputs.push_back(block[0]);
    return inputs;
  }

  std::vector<TensorType> infer(std::span<const TensorType> inputs) const;
  std::int64_t flop(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
  std::string text() const;
  static std::span<const Implementation> implementations();
};

// A step by the team, channels last in and out, but for plain images where the expansion is a first convolution; wants constant
// weights.
Offer quantized_inverted_residual_tile(const CallSite& site);
// Its convolutions' references, one after the other.
Offer quantized_inverted_residual_reference(const CallSite& site);

}  // namespace edgelab::kernels

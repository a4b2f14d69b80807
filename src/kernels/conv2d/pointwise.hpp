#pragma once

#include "core/thread_team.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/tile_gemm/tiled_product.hpp"

namespace edgelab::kernels {

struct PointwiseSettings {
  std::int64_t pixels = 0, inputs = 0, outputs = 0;  // channels
  DType compute = DType::f32;
  tile_gemm::Epilogue epilogue;
  bool by_outputs = true;        // the weight lies as [outputs, inputs], else as [inputs, outputs]
  bool constant_weight = false;  // packed beforehand (by_outputs then), else by the team in each run
};

// A 1×1 convolution, or its gradient by its input, as a product channels last by the team: y [pixels, outputs] = x [pixels,
// inputs] · weight. A member that takes rows reads all weights, one that takes columns reads all pixels.
class PointwiseProduct {
 public:
  PointwiseProduct(const PointwiseSettings& settings, int threads, const Machine& machine);

  std::string_view implementation() const { return tiles_.implementation(); }
  std::size_t scratch_bytes() const { return weight_bytes() + own_bytes() * static_cast<std::size_t>(threads_); }
  Tensor pack(PackCache& packs, const Tensor& weight) const { return tiles_.pack(packs, weight); }

  struct Memory {
    const float* x = nullptr;
    const std::byte* packed = nullptr;  // by pack(), where the weight is constant
    const float* weight = nullptr;      // where it is not
    const float* bias = nullptr;
    const float* residual = nullptr;
    float* y = nullptr;
    std::byte* scratch = nullptr;
  };
  void run(const Member& member, const Memory& memory) const;

 private:
  bool rounds() const { return settings_.compute == DType::bf16; }
  std::size_t rounded_weight_bytes() const;
  std::size_t weight_bytes() const;
  std::size_t own_bytes() const { return aligned_tiles() + aligned_band(); }
  std::size_t aligned_tiles() const;
  std::size_t aligned_band() const;
  const std::byte* packed_weight(const Member& member, const Memory& memory) const;

  PointwiseSettings settings_;
  int threads_;
  tile_gemm::TiledProduct tiles_;
};

// "pointwise:simd", and where bf16 is only emulated on this machine, that it is.
std::string tile_detail(std::string_view kind, std::string_view implementation, DType operands, const Machine& machine);

}  // namespace edgelab::kernels

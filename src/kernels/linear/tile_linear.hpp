#pragma once

#include <optional>
#include <string>

#include "core/thread_team.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/implementation.hpp"
#include "kernels/tile_gemm/column_blocks.hpp"

// A linear layer by the team on tile_gemm, with a layer normalisation before it if asked for: what linear_tile.cpp and
// layer_norm_linear_tile.cpp have in common.
namespace edgelab::kernels {

tile_gemm::Activation tile_activation(ActivationKind kind);

struct TileLinearSettings {
  std::int64_t rows = 0, k = 0, n = 0;
  DType x = DType::f32;        // f32, or bf16 if compute is
  DType compute = DType::f32;  // of the product's operands: f32 or bf16
  DType y = DType::f32;        // f32 or bf16
  std::optional<float> norm_epsilon;  // normalises x first; x is f32 then
  bool bias = false;
  bool residual = false;  // f32 [rows, n]; not with an activation: tile_gemm has the two in the other order
  ActivationKind activation = ActivationKind::none;
  ActivationKind slope = ActivationKind::none;  // y is multiplied by this activation's slope; none: by nothing
  bool weight_turned = true;   // the weight is [n, k], as layers have it, else [k, n]
  bool weight_changes = false;  // and is packed in each run
};

// y [rows, n] = activation(norm(x) [rows, k] · weightᵀ + bias) + residual, or · weight where it is [k, n]
//
// Many rows: each member takes its own, a band at a time; the band is normalised or rounded into a buffer that stays in L2,
// and the weight's blocks of 64 columns go past it once. Few rows (the heads): each member takes blocks of columns, so that
// the weight, which is then all the traffic, is read once by all together.
//
// A weight that is known when the plan is made is packed then. One that changes, as in training, is packed by the team in
// each run, into the scratch: each member its blocks, a barrier behind. So is one that is not turned: only gradients have it.
class TileLinear {
 public:
  TileLinear(const TileLinearSettings& settings, int threads, const Machine& machine);

  std::size_t scratch_bytes() const { return packed_at() + (settings_.weight_changes ? blocks_.packed_bytes() : 0); }
  std::string detail() const { return tile_gemm::describe(blocks_.implementation(), settings_.compute, machine_); }
  tile_gemm::PackedWeight pack(const Tensor& weight, PackCache& packs) const {
    return tile_gemm::pack_weight(weight, settings_.compute, settings_.k, blocks_, blocks_, packs);
  }

  struct Memory {
    const void* x = nullptr;
    const float *gain = nullptr, *shift = nullptr;  // [k], of the normalisation
    const std::byte* weight = nullptr;              // as packed; if it changes, its own bytes
    const float* bias = nullptr;
    const float* residual = nullptr;
    const float* slope = nullptr;  // [rows, n], where the slope is taken
    std::byte* y = nullptr;
    std::byte* scratch = nullptr;  // scratch_bytes(), kAlignment-aligned
  };
  void run(const Member& member, const Memory& memory) const;

 private:
  std::byte* own(const Member& member, const Memory& memory) const { return memory.scratch + static_cast<std::size_t>(member.index()) * member_bytes_; }
  std::size_t packed_at() const { return member_bytes_ * static_cast<std::size_t>(threads_); }
  void pack_blocks(const Member& member, const float* weight, std::byte* buffer, std::byte* to) const;
  void multiply(const Member& member, const Memory& memory) const;
  void run_block(std::int64_t block, std::int64_t first, std::int64_t count, const tile_gemm::Arguments& whole, const Memory& memory) const;
  bool copies() const { return settings_.norm_epsilon.has_value() || settings_.x != settings_.compute; }
  const void* band(std::int64_t first, std::int64_t count, const Memory& memory, std::byte* buffer) const;
  tile_gemm::Arguments arguments(std::int64_t first, const void* a, const Memory& memory, std::byte* buffer) const;

  TileLinearSettings settings_;
  int threads_;
  const Machine& machine_;
  bool by_columns_;
  tile_gemm::Bands bands_;
  tile_gemm::ColumnBlocks blocks_;
  std::size_t buffer_bytes_ = 0, member_bytes_ = 0;
};

// Where an op that is a TileLinear has them among its inputs, x being the first.
struct TileLinearInputs {
  std::size_t weight = 0;
  std::optional<std::size_t> gain, shift, bias, residual, slope;
};

// The offer of such an op. Of `settings` the sizes are read from the call.
Offer tile_linear_offer(const CallSite& site, TileLinearSettings settings, const TileLinearInputs& inputs);

}  // namespace edgelab::kernels

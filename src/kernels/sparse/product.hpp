#pragma once

#include "core/thread_team.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/sparse/rows.hpp"

namespace edgelab::kernels::sparse {

// y [rows, n] = activation(x [rows, k] · weightᵀ + bias) + residual, by the team: a linear layer, or a 1×1 convolution channels
// last. Both lie point by point, so a band of x is turned before the product and y, sixteen outputs at a time, behind it.
//
// Many rows: each member takes bands of them. Few: all members turn x together, and each takes some of the outputs.
class Product {
 public:
  struct Settings {
    std::int64_t rows = 0, k = 0, n = 0;
    ActivationKind activation = ActivationKind::none;
  };
  Product(const Settings& settings, int threads);

  std::size_t scratch_bytes() const { return shared_bytes_ + member_bytes_ * static_cast<std::size_t>(threads_); }

  struct Memory {
    const float* x = nullptr;
    const PackedWeight* weight = nullptr;
    const float* bias = nullptr;      // or null
    const float* residual = nullptr;  // or null
    float* y = nullptr;
    std::byte* scratch = nullptr;
  };
  void run(const Member& member, const Memory& memory) const;

 private:
  void outputs(const Memory& memory, const float* turned, std::int64_t first_row, std::int64_t rows, Member::Part part, float* buffer) const;

  Settings settings_;
  int threads_;
  bool by_outputs_;
  std::int64_t band_ = 0, points_ = 0;  // rows of a band, and what they take in whole vectors
  std::size_t shared_bytes_ = 0, turned_bytes_ = 0, member_bytes_ = 0;
};

}  // namespace edgelab::kernels::sparse

#pragma once

#include "kernels/cuda/tiles/numbers.hpp"

namespace edgelab::kernels::cuda {

// A warp a row, four rows a block (LayerNormArguments). Mean first, then the variance about it: a sum of squares would lose digits.
struct LayerNormRows {
  static constexpr int kThreads = 128, kRows = 4;

  template <class Block> EDGELAB_HOST_DEVICE static void run(Block& block, const LayerNormArguments& p) {
    typename Block::template PerThread<float> sum, mean;
    const std::int64_t first = static_cast<std::int64_t>(block.x()) * kRows;
    const auto width = static_cast<float>(p.width);
    block.each([&](int thread) { sum[thread] = over_row(p, first + thread / 32, thread % 32, 0.0f, false); });
    block.warp_sum([&](int thread) { return &sum[thread]; });
    block.each([&](int thread) {
      mean[thread] = sum[thread] / width;
      sum[thread] = over_row(p, first + thread / 32, thread % 32, mean[thread], true);
    });
    block.warp_sum([&](int thread) { return &sum[thread]; });
    block.each([&](int thread) {
      const std::int64_t row = first + thread / 32;
      if (row >= p.rows) return;
      const float scale = 1.0f / sqrtf(sum[thread] / width + p.epsilon);
      for (std::int64_t i = thread % 32; i < p.width; i += 32) {
        store(p.y, row * p.width + i, (p.x[row * p.width + i] - mean[thread]) * scale * p.weight[i] + p.bias[i]);
      }
    });
  }

 private:
  // A lane's share of Σ x, or of Σ (x − mean)².
  EDGELAB_HOST_DEVICE static float over_row(const LayerNormArguments& p, std::int64_t row, int lane, float mean, bool squares) {
    float sum = 0.0f;
    if (row >= p.rows) return sum;
    for (std::int64_t i = lane; i < p.width; i += 32) {
      const float value = p.x[row * p.width + i] - mean;
      sum += squares ? value * value : value;
    }
    return sum;
  }
};

}  // namespace edgelab::kernels::cuda

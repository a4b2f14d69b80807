#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/fake_quantize/fake_quantize_rows.hpp"

namespace edgelab::kernels {
namespace {

// Numbers that one member works through at a time: of one scale, and as many whatever the number of members, as sums depend on it.
constexpr std::int64_t kChunk = 4096;

struct Chunks {
  std::int64_t rows, each, of_a_row;

  Chunks(const TensorType& x, const TensorType& scales) : rows(scales.elements()), each(x.elements() / std::max<std::int64_t>(1, rows)), of_a_row((each + kChunk - 1) / kChunk) {}
  std::int64_t count() const { return rows * of_a_row; }
  std::int64_t row(std::int64_t chunk) const { return chunk / of_a_row; }
  std::int64_t begin(std::int64_t chunk) const { return row(chunk) * each + chunk % of_a_row * kChunk; }
  std::int64_t size(std::int64_t chunk) const { return std::min(kChunk, each - chunk % of_a_row * kChunk); }
};

}  // namespace

Offer fake_quantize_simd(const CallSite& site) {
  const FakeQuantize op = *site.op.as<FakeQuantize>();
  const Chunks chunks(site.inputs[0], site.inputs[1]);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* logarithm = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=, keep = constants](const Member& member) {
        const Member::Part part = member.part(chunks.count());
        for (std::int64_t i = part.begin; i < part.end; ++i) {
          const std::int64_t at = chunks.begin(i);
          fake_quantize_row(op, std::exp2(logarithm[chunks.row(i)]), x + at, chunks.size(i), y + at);
        }
      };
    }};
  });
}

Offer fake_quantize_backward_simd(const CallSite& site) {
  const FakeQuantize op = site.op.as<FakeQuantizeBackward>()->forward;
  const Chunks chunks(site.inputs[0], site.inputs[1]);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const auto* x = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
          const auto* logarithm = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
          const auto* dy = reinterpret_cast<const float*>(input_bytes(buffers, constants, 2));
          auto* dx = reinterpret_cast<float*>(buffers.outputs[0]);
          auto* dp = reinterpret_cast<float*>(buffers.outputs[1]);
          auto* sums = reinterpret_cast<float*>(buffers.scratch);
          return [=, keep = constants](const Member& member) {
            const Member::Part part = member.part(chunks.count());
            for (std::int64_t i = part.begin; i < part.end; ++i) {
              const std::int64_t at = chunks.begin(i);
              sums[i] = fake_quantize_backward_row(op, std::exp2(logarithm[chunks.row(i)]), x + at, dy + at, chunks.size(i), dx + at);
            }
            member.barrier();
            const Member::Part mine = member.part(chunks.rows);
            for (std::int64_t row = mine.begin; row < mine.end; ++row) {
              double sum = 0.0;
              for (std::int64_t i = row * chunks.of_a_row; i < (row + 1) * chunks.of_a_row; ++i) sum += static_cast<double>(sums[i]);
              dp[row] = static_cast<float>(sum * static_cast<double>(scale_gradient_factor(std::exp2(logarithm[row]), chunks.each, op.high)));
            }
          };
        }};
      },
      static_cast<std::size_t>(chunks.count()) * sizeof(float));
}

}  // namespace edgelab::kernels

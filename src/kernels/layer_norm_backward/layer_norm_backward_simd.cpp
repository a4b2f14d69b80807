#include <algorithm>
#include <vector>

#include "kernels/layer_norm_backward/layer_norm_backward.hpp"
#include "kernels/layer_norm_backward/layer_norm_gradient_rows.hpp"
#include "kernels/sum_to/column_sums.hpp"

namespace edgelab::kernels {
namespace {

// Rows whose dweight and dbias are summed together, before the sums of all chunks are added: as many in every team, so that
// the result does not depend on its size.
constexpr std::int64_t kChunk = 64;

struct Bound {
  LayerNormGradientRows whole;
  float* sums;  // [chunks][dweight, dbias]
};

void run(const Bound& bound, const Member& member) {
  const std::int64_t rows = bound.whole.rows, width = bound.whole.width, chunks = (rows + kChunk - 1) / kChunk;
  const Member::Part part = member.part(chunks);
  for (std::int64_t chunk = part.begin; chunk < part.end; ++chunk) {
    LayerNormGradientRows mine = bound.whole;
    const std::int64_t first = chunk * kChunk;
    mine.rows = std::min(kChunk, rows - first);
    mine.x += first * width;
    mine.dy += first * width;
    mine.dx += first * width;
    if (mine.addend != nullptr) mine.addend += first * width;
    mine.dweight = bound.sums + 2 * chunk * width;
    mine.dbias = mine.dweight + width;
    layer_norm_gradient_rows(mine);
  }
  member.barrier();
  const Member::Part columns = member.part(width, 16);
  column_sums(bound.sums + columns.begin, 2 * width, chunks, columns.size(), bound.whole.dweight + columns.begin);
  column_sums(bound.sums + width + columns.begin, 2 * width, chunks, columns.size(), bound.whole.dbias + columns.begin);
}

}  // namespace

Offer layer_norm_backward_simd(const CallSite& site) {
  LayerNormGradientRows whole;
  const LayerNormBackward settings = *site.op.as<LayerNormBackward>();
  whole.epsilon = static_cast<float>(settings.epsilon);
  whole.width = site.inputs[0].shape.back();
  whole.rows = site.inputs[0].elements() / whole.width;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const std::int64_t chunks = (whole.rows + kChunk - 1) / kChunk;
  return plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
          const auto output = [&](std::size_t index) { return reinterpret_cast<float*>(buffers.outputs[index]); };
          Bound bound{whole, reinterpret_cast<float*>(buffers.scratch)};
          bound.whole.x = floats(0);
          bound.whole.weight = floats(1);
          bound.whole.dy = floats(2);
          if (settings.has_addend) bound.whole.addend = floats(3);
          bound.whole.dx = output(0);
          bound.whole.dweight = output(1);
          bound.whole.dbias = output(2);
          return [bound, keep = constants](const Member& member) { run(bound, member); };
        }};
      },
      static_cast<std::size_t>(2 * chunks * whole.width) * sizeof(float));
}

}  // namespace edgelab::kernels

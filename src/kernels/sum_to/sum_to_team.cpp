#include <algorithm>
#include <vector>

#include "kernels/binary/binary.hpp"
#include "kernels/sum_to/column_sums.hpp"
#include "kernels/sum_to/sum_to.hpp"

namespace edgelab::kernels {
namespace {

// Numbers that are summed by one member before the sums are added: a whole tensor to one number.
constexpr std::int64_t kChunk = 4096;

// How many of the last elements of x are kept, where all axes before them are summed; 0 where it is not so.
std::int64_t kept_elements(const Shape& shape, const Shape& x) {
  const Shape aligned = aligned_shape(shape, x.rank());
  int axis = 0;
  while (axis < x.rank() && aligned[axis] == 1) ++axis;
  std::int64_t kept = 1;
  for (; axis < x.rank(); ++axis) {
    if (aligned[axis] != x[axis]) return 0;
    kept *= x[axis];
  }
  return kept;
}

// A sum belongs to one member, so that it does not depend on their number.
Step columns_step(const float* x, float* y, std::int64_t rows, std::int64_t columns) {
  return [=](const Member& member) {
    const Member::Part part = member.part(columns, 16);  // whole cache lines
    column_sums(x + part.begin, columns, rows, part.size(), y + part.begin);
  };
}

Step total_step(const float* x, float* y, std::int64_t count, float* sums) {
  return [=](const Member& member) {
    const std::int64_t chunks = (count + kChunk - 1) / kChunk;
    const Member::Part part = member.part(chunks);
    for (std::int64_t i = part.begin; i < part.end; ++i) sums[i] = sum_of(x + i * kChunk, std::min(kChunk, count - i * kChunk));
    member.barrier();
    if (member.index() == 0) *y = sum_of(sums, chunks);
  };
}

}  // namespace

Offer sum_to_team(const CallSite& site) {
  const std::int64_t count = site.inputs[0].elements(), kept = kept_elements(site.outputs[0].shape, site.inputs[0].shape);
  if (kept == 0) return Offer::refuse("sums between axes that are kept");
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const std::int64_t chunks = kept == 1 ? (count + kChunk - 1) / kChunk : 0;
  return plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const auto* x = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
          auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
          if (kept == 1) return total_step(x, y, count, reinterpret_cast<float*>(buffers.scratch));
          return columns_step(x, y, count / kept, kept);
        }};
      },
      static_cast<std::size_t>(chunks) * sizeof(float));
}

}  // namespace edgelab::kernels

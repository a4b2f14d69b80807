#include <array>
#include <vector>

#include "core/parallel_for.hpp"
#include "kernels/binary/binary.hpp"

namespace edgelab::kernels {
namespace {

// Element steps of b for each of a's axes; 0 where b is broadcast.
std::array<std::int64_t, Shape::kMaxRank> broadcast_strides(const Shape& b) {
  std::array<std::int64_t, Shape::kMaxRank> strides{};
  std::int64_t step = 1;
  for (int axis = b.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = b[axis] == 1 ? 0 : step;
    step *= b[axis];
  }
  return strides;
}

}  // namespace

Offer binary_reference(const CallSite& site) {
  const bool adds = site.op.as<Binary>()->kind == Binary::Kind::add;
  const Shape shape = site.inputs[0].shape;
  const auto strides = broadcast_strides(aligned_shape(site.inputs[1].shape, shape.rank()));
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const int threads = site.threads;
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* a = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* b = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        parallel_for(shape.elements(), threads, [=](std::int64_t begin, std::int64_t end) {
          for (std::int64_t at = begin; at < end; ++at) {
            std::int64_t rest = at, other = 0;
            for (int axis = shape.rank() - 1; axis >= 0; --axis) {
              other += rest % shape[axis] * strides[static_cast<std::size_t>(axis)];
              rest /= shape[axis];
            }
            y[at] = adds ? a[at] + b[other] : a[at] * b[other];
          }
        });
      };
    }};
  });
}

}  // namespace edgelab::kernels

#include <algorithm>
#include <vector>

#include "kernels/binary/binary.hpp"
#include "kernels/sum_to/sum_to.hpp"

namespace edgelab::kernels {

Offer sum_to_reference(const CallSite& site) {
  const Shape shape = site.inputs[0].shape;
  const BroadcastIndex index(site.outputs[0].shape, shape);
  const std::int64_t count = site.outputs[0].elements();
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(
      site,
      [=] {
        return PreparedKernel{[=](const Buffers& buffers) -> Step {
          const auto* x = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
          auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
          auto* sums = reinterpret_cast<double*>(buffers.scratch);
          return [=] {
            std::fill_n(sums, count, 0.0);
            for (std::int64_t at = 0; at < shape.elements(); ++at) sums[index(at)] += static_cast<double>(x[at]);
            std::transform(sums, sums + count, y, [](double sum) { return static_cast<float>(sum); });
          };
        }};
      },
      static_cast<std::size_t>(count) * sizeof(double));
}

}  // namespace edgelab::kernels

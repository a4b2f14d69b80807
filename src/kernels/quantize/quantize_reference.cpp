#include <algorithm>

#include "kernels/quantize/quantize.hpp"

namespace edgelab::kernels {
namespace {

template <class From, class To, class Function> Offer one_by_one(const CallSite& site, const Function& function) {
  const std::int64_t elements = site.inputs[0].elements();
  return plain_offer(site, [=, constant = site.constants[0]] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const From*>(input_bytes(buffers, {&constant, 1}, 0));
      auto* y = reinterpret_cast<To*>(buffers.outputs[0]);
      return [=, keep = constant] { std::transform(x, x + elements, y, function); };
    }};
  });
}

}  // namespace

Offer quantize_reference(const CallSite& site) {
  const U8Grid grid = site.op.as<Quantize>()->grid;
  return one_by_one<float, std::uint8_t>(site, [=](float x) { return grid.of(x); });
}

Offer dequantize_reference(const CallSite& site) {
  const U8Grid grid = site.op.as<Dequantize>()->grid;
  return one_by_one<std::uint8_t, float>(site, [=](std::uint8_t q) { return static_cast<float>(q - grid.zero_point) * grid.scale; });
}

}  // namespace edgelab::kernels

#include "kernels/quantize/byte_rows.hpp"
#include "kernels/quantize/quantize.hpp"

namespace edgelab::kernels {
namespace {

// `run(x, count, y)` on this member's part of all elements, which lie in any order.
template <class From, class To, class Run> Offer element_wise(const CallSite& site, const Run& run) {
  if (site.offered[0].kind() == Layout::Kind::opaque) return Offer::refuse("a library's own layout");
  const std::int64_t elements = site.inputs[0].elements();
  Offer offer = plain_offer(site, [=, constant = site.constants[0]] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* x = reinterpret_cast<const From*>(input_bytes(buffers, {&constant, 1}, 0));
      auto* y = reinterpret_cast<To*>(buffers.outputs[0]);
      return [=, keep = constant](const Member& member) {
        const Member::Part part = member.part(elements, 64);
        run(x + part.begin, part.size(), y + part.begin);
      };
    }};
  });
  if (site.offered[0].kind() == Layout::Kind::channels_last) {
    offer.inputs[0] = Layout::channels_last(site.inputs[0]);
    offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  }
  return offer;
}

}  // namespace

Offer quantize_simd(const CallSite& site) {
  const U8Grid grid = site.op.as<Quantize>()->grid;
  return element_wise<float, std::uint8_t>(site, [=](const float* x, std::int64_t count, std::uint8_t* y) { quantize_row(x, count, grid, y); });
}

Offer dequantize_simd(const CallSite& site) {
  const U8Grid grid = site.op.as<Dequantize>()->grid;
  return element_wise<std::uint8_t, float>(site, [=](const std::uint8_t* x, std::int64_t count, float* y) { dequantize_row(x, count, grid, y); });
}

}  // namespace edgelab::kernels

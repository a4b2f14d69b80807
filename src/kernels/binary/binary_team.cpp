#include <vector>

#include "kernels/binary/binary.hpp"

namespace edgelab::kernels {
namespace {

// b, without its leading ones, is the end of a's shape.
bool repeats(const Shape& a, const Shape& b) {
  int axis = 0;
  while (axis < b.rank() && b[axis] == 1) ++axis;
  for (; axis < b.rank(); ++axis) {
    if (b[axis] != a[a.rank() - b.rank() + axis]) return false;
  }
  return true;
}

template <class Combine> void combine(const float* a, const float* b, float* y, std::int64_t begin, std::int64_t end, std::int64_t period, const Combine& f) {
  for (std::int64_t at = begin; at < end;) {
    const float* other = b + at % period;
    const std::int64_t stop = std::min(end, at - at % period + period);
    if (period == 1) {
      for (; at < end; ++at) y[at] = f(a[at], *b);
      return;
    }
    for (; at < stop; ++at) y[at] = f(a[at], *other++);
  }
}

}  // namespace

Offer binary_team(const CallSite& site) {
  // Feature maps lie as convolutions like them; oneDNN's sum takes that as it is.
  for (std::size_t i = 0; i < 2; ++i) {
    if (!site.constant(i) && !site.offered[i].is_plain()) return Offer::refuse("only plain layouts");
  }
  if (site.inputs[0].shape.rank() == 4) return Offer::refuse("leaves feature maps to those that know their layouts");
  if (!repeats(site.inputs[0].shape, site.inputs[1].shape)) return Offer::refuse("the second operand does not repeat along the first");
  const bool adds = site.op.as<Binary>()->kind == Binary::Kind::add;
  const std::int64_t count = site.inputs[0].elements(), period = site.inputs[1].elements();
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto* a = reinterpret_cast<const float*>(input_bytes(buffers, constants, 0));
      const auto* b = reinterpret_cast<const float*>(input_bytes(buffers, constants, 1));
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=, keep = constants](const Member& member) {
        const Member::Part part = member.part(count, 16);  // whole cache lines
        if (adds) {
          combine(a, b, y, part.begin, part.end, period, [](float left, float right) { return left + right; });
        } else {
          combine(a, b, y, part.begin, part.end, period, [](float left, float right) { return left * right; });
        }
      };
    }};
  });
}

}  // namespace edgelab::kernels

#include <vector>

#include "kernels/layer_norm/layer_norm.hpp"
#include "kernels/layer_norm/layer_norm_rows.hpp"

namespace edgelab::kernels {

Offer layer_norm_simd(const CallSite& site) {
  if (site.inputs[0].dtype != DType::f32) return Offer::refuse("only fp32 in");
  LayerNormRows whole;
  whole.epsilon = static_cast<float>(site.op.as<LayerNorm>()->epsilon);
  whole.y_type = site.outputs[0].dtype;
  whole.width = whole.x_ld = whole.y_ld = site.inputs[0].shape.back();
  whole.rows = site.inputs[0].elements() / whole.width;
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  return plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      LayerNormRows bound = whole;
      const auto floats = [&](std::size_t input) { return reinterpret_cast<const float*>(input_bytes(buffers, constants, input)); };
      bound.x = floats(0);
      bound.weight = floats(1);
      bound.bias = floats(2);
      std::byte* y = buffers.outputs[0];
      return [bound, y, keep = constants](const Member& member) {
        const Member::Part part = member.part(bound.rows);
        LayerNormRows mine = bound;
        mine.x += part.begin * mine.x_ld;
        mine.y = y + part.begin * mine.y_ld * static_cast<std::int64_t>(size_of(mine.y_type));
        mine.rows = part.size();
        layer_norm_rows(mine);
      };
    }};
  });
}

}  // namespace edgelab::kernels

#include "kernels/message/all_reduce.hpp"

#include <cstring>

#include "core/error.hpp"
#include "kernels/message/message.hpp"

namespace edgelab::kernels {

std::vector<TensorType> AllReduce::infer(std::span<const TensorType> inputs) const {
  const std::size_t expected = contributes ? 1 : 0;
  require_inputs(kName, inputs, expected, expected);
  if (type.dtype != DType::f32) throw Error(ErrorKind::data, "all_reduce: only fp32 is added up").got(std::string(name_of(type.dtype)));
  if (contributes) require_shape(kName, inputs[0], type.shape, "the input");
  return {type};
}

std::string AllReduce::text() const { return "over " + std::to_string(ranks) + " ranks" + (contributes ? "" : ", nothing of this one"); }

std::span<const Implementation> AllReduce::implementations() {
  static constexpr Implementation list[] = {{"transport", all_reduce_transport}};
  return list;
}

Offer all_reduce_transport(const CallSite& site) {
  const auto& settings = *site.op.as<AllReduce>();
  if (settings.transport == nullptr) return Offer::refuse("it has no transport");
  if (settings.contributes && site.constant(0)) return Offer::refuse("the input is a constant");
  const bool contributes = settings.contributes;
  Transport* const transport = settings.transport;
  const TensorType type = site.outputs[0];
  const std::int64_t width = message::row_width(type.shape);
  Offer offer = plain_offer(site, [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const std::byte* x = contributes ? buffers.inputs[0] : nullptr;
      auto* y = reinterpret_cast<float*>(buffers.outputs[0]);
      return [=] {
        if (x != nullptr) {
          std::memcpy(y, x, type.bytes());
        } else {
          std::memset(y, 0, type.bytes());
        }
        transport->all_reduce(y, type.elements() / width, width);
      };
    }};
  });
  offer.outputs[0] = message::travelling_layout(type, type.shape);
  if (contributes) offer.inputs[0] = offer.outputs[0];
  return offer;
}

}  // namespace edgelab::kernels

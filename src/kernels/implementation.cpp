#include "kernels/implementation.hpp"

#include <utility>

namespace edgelab::kernels {

Offer plain_offer(const CallSite& site, std::function<PreparedKernel()> prepare, std::size_t scratch_bytes) {
  Offer offer;
  for (const TensorType& type : site.inputs) offer.inputs.push_back(Layout::plain(type));
  for (const TensorType& type : site.outputs) offer.outputs.push_back(Layout::plain(type));
  offer.scratch_bytes = scratch_bytes;
  offer.prepare = std::move(prepare);
  return offer;
}

const std::byte* input_bytes(const Buffers& buffers, std::span<const Tensor> constants, std::size_t input) {
  return constants[input].defined() ? constants[input].data() : buffers.inputs[input];
}

}  // namespace edgelab::kernels

#include "kernels/cuda/device_constant.hpp"

#include "core/dtype.hpp"
#include "kernels/cuda/backend.hpp"

namespace edgelab::kernels::cuda {

Tensor uploaded(const Tensor& host) {
  Backend& device = backend();
  std::shared_ptr<std::byte> memory = device.allocate(host.bytes());
  device.copy_to_device(memory.get(), host.data(), host.bytes());
  device.synchronise();  // the host's bytes may be gone afterwards
  std::byte* bytes = memory.get();
  return {host.dtype(), host.shape(), bytes, std::move(memory), MemorySpace::cuda};
}

Tensor Constants::device(std::size_t input, const std::string& layout, const std::function<Tensor(const Tensor&)>& pack) const {
  const std::string name = "cuda " + std::to_string(backend().device()) + " " + layout;
  return packs_->get(tensors_[input], {name.begin(), name.end()}, [&] { return uploaded(pack(tensors_[input])); });
}

Tensor Constants::device(std::size_t input) const {
  return device(input, "as it is", [](const Tensor& constant) { return constant; });
}

namespace {

Tensor narrowed(const Tensor& w) {
  Tensor narrow(DType::bf16, w.shape());
  const auto from = w.as<float>();
  auto* to = reinterpret_cast<std::uint16_t*>(narrow.data());
  for (std::size_t i = 0; i < from.size(); ++i) to[i] = float_to_bf16(from[i]);
  return narrow;
}

std::string detail_of(Multiply multiply) {
  switch (multiply) {
    case Multiply::f32: return "tensor cores, three products in tf32 for one in fp32";
    case Multiply::tf32: return "tensor cores, tf32";
    case Multiply::bf16: return "tensor cores, bf16";
  }
  return "";
}

}  // namespace

Tensor Constants::product(std::size_t input, Multiply multiply) const {
  return multiply == Multiply::bf16 ? device(input, "bf16", narrowed) : device(input);
}

Tensor outputs_last(const Tensor& w) {
  const std::int64_t outputs = w.shape()[0], rest = w.elements() / outputs;
  Tensor turned(DType::f32, {rest, outputs});
  const auto from = w.as<float>();
  const auto to = turned.as<float>();
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t i = 0; i < rest; ++i) to[static_cast<std::size_t>(i * outputs + o)] = from[static_cast<std::size_t>(o * rest + i)];
  }
  return turned;
}

std::optional<std::string> changing(const CallSite& site, std::size_t first) {
  for (std::size_t input = first; input < site.inputs.size(); ++input) {
    if (!site.constant(input)) return "weights that change between runs";
  }
  return std::nullopt;
}

Multiply multiply_of(DType compute, const DeviceSite& site) {
  if (compute == DType::bf16) return Multiply::bf16;
  return site.tf32 ? Multiply::tf32 : Multiply::f32;
}

Offer by_products(Offer offer, DType compute, Multiply multiply) {
  offer.detail = detail_of(multiply);
  offer.effective = compute;
  return offer;
}

Element element_of(DType type) { return type == DType::bf16 ? Element::bf16 : Element::f32; }

}  // namespace edgelab::kernels::cuda

#include "kernels/sparse/product_offer.hpp"

#include <memory>

namespace edgelab::kernels::sparse {

Offer product_offer(const CallSite& site, const Product::Settings& settings, const ProductInputs& inputs) {
  if (!site.constant(inputs.weight)) return Offer::refuse("a weight that is not constant");
  if (auto reason = too_dense(zeros_of(site.constants[inputs.weight]))) return Offer::refuse(*reason);
  const Product product(settings, site.threads);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const auto prepare = [=, packs = site.packs] {
    const auto weight = std::make_shared<const PackedWeight>(constants[inputs.weight], *packs);
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      const auto floats = [&](std::optional<std::size_t> input) {
        return input ? reinterpret_cast<const float*>(input_bytes(buffers, constants, *input)) : nullptr;
      };
      const Product::Memory memory{floats(0), weight.get(), floats(inputs.bias), floats(inputs.residual), reinterpret_cast<float*>(buffers.outputs[0]),
                                   buffers.scratch};
      return [product, memory, weight, keep = constants](const Member& member) { product.run(member, memory); };
    }, weight->bytes()};
  };
  return plain_offer(site, prepare, product.scratch_bytes());
}

}  // namespace edgelab::kernels::sparse

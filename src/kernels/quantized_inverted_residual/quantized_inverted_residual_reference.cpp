#include "kernels/aligned.hpp"
#include "kernels/quantized_inverted_residual/quantized_inverted_residual.hpp"

namespace edgelab::kernels {

Offer quantized_inverted_residual_reference(const CallSite& site) {
  const QuantizedInvertedResidual settings = *site.op.as<QuantizedInvertedResidual>();
  const std::size_t count = settings.convolutions.size();
  std::vector<PreparedKernel> kernels;
  std::vector<std::size_t> places;  // of the values between, in the scratch
  std::size_t bytes = 0;
  TensorType x = site.inputs[0];
  Tensor known = site.constants[0];
  for (std::size_t i = 0; i < count; ++i) {
    const Op op = settings.convolutions[i];
    const std::vector<TensorType> inputs = settings.inputs_of(i, site.inputs, x), outputs = op.infer(inputs);
    const std::vector<Tensor> constants = settings.inputs_of(i, site.constants, known);
    std::vector<Layout> offered;
    for (const TensorType& type : inputs) offered.push_back(Layout::plain(type));
    const CallSite inner{op, inputs, outputs, constants, offered, site.threads, site.machine, site.packs};
    kernels.push_back(quantized_conv2d_reference(inner).prepare());
    x = outputs.front();
    known = Tensor();
    places.push_back(bytes);
    bytes += aligned(x.bytes());
  }
  const auto prepare = [=] {
    return PreparedKernel{[=](const Buffers& buffers) -> Step {
      std::vector<Step> steps;
      const std::byte* from = buffers.inputs[0];
      for (std::size_t i = 0; i < count; ++i) {
        const std::vector<const std::byte*> inputs = settings.inputs_of(i, buffers.inputs, from);
        std::byte* to = i + 1 == count ? buffers.outputs[0] : buffers.scratch + places[i];
        steps.push_back(kernels[i].bind({inputs, {&to, 1}, nullptr}));
        from = to;
      }
      return [steps] {
        for (const Step& step : steps) step();
      };
    }};
  };
  Offer offer = plain_offer(site, prepare, bytes);
  offer.effective = DType::s8;
  return offer;
}

}  // namespace edgelab::kernels

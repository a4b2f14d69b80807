#include <memory>

#include "kernels/inverted_residual/sparse_block.hpp"

namespace edgelab::kernels {
namespace {

using inverted_residual::SparseBlock;

std::optional<std::string> refusal(const CallSite& site, const InvertedResidual& settings) {
  if (site.inputs[0].dtype != DType::f32 || settings.compute != DType::f32) return "fp32 alone";
  for (std::size_t i = 1; i < site.inputs.size(); ++i) {
    if (!site.constant(i)) return "weights that are not constant";
  }
  if (!settings.expand || !settings.expands_pointwise(site.inputs[1].shape)) return "no 1×1 expansion";
  sparse::Zeros zeros = sparse::zeros_of(site.constants[settings.expand_input()]);
  zeros += sparse::zeros_of(site.constants[settings.project_input()]);
  return sparse::too_dense(zeros);
}

}  // namespace

Offer inverted_residual_sparse(const CallSite& site) {
  const InvertedResidual settings = *site.op.as<InvertedResidual>();
  if (auto reason = refusal(site, settings)) return Offer::refuse(*reason);
  const SparseBlock planned(settings, site.inputs[0].shape, site.inputs[settings.depthwise_input()].shape[0], site.outputs[0].shape, site.threads);
  const std::vector<Tensor> constants(site.constants.begin(), site.constants.end());
  const auto prepare = [=, packs = site.packs] {
    SparseBlock packed = planned;
    packed.pack(constants, *packs);
    const auto block = std::make_shared<const SparseBlock>(std::move(packed));
    return PreparedKernel{[block](const Buffers& buffers) -> Step {
      const SparseBlock::Run run{reinterpret_cast<const float*>(buffers.inputs[0]), reinterpret_cast<float*>(buffers.outputs[0]), buffers.scratch};
      return [=](const Member& member) { block->run(member, run); };
    }, block->packed_bytes()};
  };
  Offer offer = plain_offer(site, prepare, planned.scratch_bytes());
  offer.detail = planned.by_channels() ? "channels" : "rows";
  offer.inputs[0] = Layout::channels_last(site.inputs[0]);
  offer.outputs[0] = Layout::channels_last(site.outputs[0]);
  return offer;
}

}  // namespace edgelab::kernels

#include "kernels/op.hpp"

#include "core/error.hpp"
#include "kernels/pack_cache.hpp"

namespace edgelab::kernels {
namespace {

std::string prefix(std::string_view op, std::string_view what) { return std::string(op) + ": " + std::string(what); }

}  // namespace

void require_inputs(std::string_view op, std::span<const TensorType> inputs, std::size_t least, std::size_t most) {
  if (inputs.size() >= least && inputs.size() <= most) return;
  const std::string expected = least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
  throw Error(ErrorKind::data, prefix(op, "wrong number of inputs")).got(std::to_string(inputs.size())).expected(expected);
}

void require_rank(std::string_view op, const TensorType& type, int rank, std::string_view what) {
  if (type.shape.rank() == rank) return;
  throw Error(ErrorKind::data, prefix(op, what) + " has the wrong number of axes").got(type.shape.text()).expected(std::to_string(rank) + " axes");
}

void require_shape(std::string_view op, const TensorType& type, const Shape& expected, std::string_view what) {
  if (type.shape == expected) return;
  throw Error(ErrorKind::data, prefix(op, what) + " has the wrong shape").got(type.shape.text()).expected(expected.text());
}

std::vector<Tensor> evaluate_reference(const Op& op, std::span<const Tensor> inputs) {
  std::vector<TensorType> types;
  std::vector<Layout> offered;
  std::vector<const std::byte*> input_pointers;
  for (const Tensor& input : inputs) {
    types.push_back({input.dtype(), input.shape()});
    offered.push_back(Layout::plain(types.back()));
    input_pointers.push_back(input.data());
  }
  const std::vector<TensorType> output_types = op.infer(types);
  std::vector<Tensor> outputs;
  std::vector<std::byte*> output_pointers;
  for (const TensorType& type : output_types) {
    outputs.emplace_back(type.dtype, type.shape);
    output_pointers.push_back(outputs.back().data());
  }
  const std::vector<Tensor> no_constants(inputs.size());
  PackCache packs;
  const CallSite site{op, types, output_types, no_constants, offered, 1, this_machine(), &packs};
  const Offer offer = op.implementations().back().offer(site);
  if (offer.refusal) throw Error(ErrorKind::data, std::string(op.name()) + ": the reference refused: " + *offer.refusal);
  const std::shared_ptr<std::byte> scratch = allocate_aligned(offer.scratch_bytes);
  const PreparedKernel kernel = offer.prepare();
  kernel.bind({input_pointers, output_pointers, scratch.get()})();
  return outputs;
}

}  // namespace edgelab::kernels

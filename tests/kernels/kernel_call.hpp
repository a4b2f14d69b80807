#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/thread_team.hpp"
#include "kernels/op.hpp"
#include "kernels/pack_cache.hpp"
#include "run_op.hpp"

// One call of one implementation of an op on plain tensors, as a plan would make it. Outputs and scratch begin as NaN, and
// the bytes behind them must not change.
namespace edgelab::kernels::testing {

// [N, C, H, W] ↔ [N, H, W, C].
inline Tensor moved_channels(const Tensor& x, bool to_last) {
  Tensor y(x.dtype(), x.shape());
  const std::int64_t n = x.shape()[0], c = x.shape()[1], pixels = x.shape()[2] * x.shape()[3];
  const std::size_t size = size_of(x.dtype());
  for (std::int64_t image = 0; image < n; ++image) {
    for (std::int64_t channel = 0; channel < c; ++channel) {
      for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
        const auto plain = static_cast<std::size_t>((image * c + channel) * pixels + pixel);
        const auto last = static_cast<std::size_t>((image * pixels + pixel) * c + channel);
        std::memcpy(y.data() + (to_last ? last : plain) * size, x.data() + (to_last ? plain : last) * size, size);
      }
    }
  }
  return y;
}

class PoisonedBytes {
 public:
  explicit PoisonedBytes(std::size_t bytes) : bytes_(bytes), memory_(allocate_aligned(bytes + kMargin)) { std::memset(memory_.get(), 0xFF, bytes + kMargin); }
  std::byte* data() { return memory_.get(); }
  bool margin_untouched() const {
    return std::all_of(memory_.get() + bytes_, memory_.get() + bytes_ + kMargin, [](std::byte b) { return b == std::byte{0xFF}; });
  }

 private:
  static constexpr std::size_t kMargin = 4096;
  std::size_t bytes_;
  std::shared_ptr<std::byte> memory_;
};

struct CallResult {
  std::string refusal, detail;
  Tensor output;  // plain; the first of all
  std::vector<Tensor> outputs;
};

// `first_constant`: that input and all behind it are known beforehand, but for those named in `variable`.
inline CallResult call(const Op& op, std::string_view implementation, const std::vector<Tensor>& inputs, std::size_t first_constant, int threads,
                       std::vector<std::size_t> variable = {}, Layout::Kind offered_kind = Layout::Kind::channels_last) {
  std::vector<TensorType> types;
  std::vector<Tensor> constants(inputs.size());
  std::vector<Layout> offered;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    types.push_back({inputs[i].dtype(), inputs[i].shape()});
    const bool is_variable = i < first_constant || std::find(variable.begin(), variable.end(), i) != variable.end();
    if (!is_variable) constants[i] = inputs[i];
    const bool last = is_variable && offered_kind == Layout::Kind::channels_last && types.back().shape.rank() == 4;
    offered.push_back(last ? Layout::channels_last(types.back()) : Layout::plain(types.back()));
  }
  const std::vector<TensorType> output_types = op.infer(types);
  PackCache packs;
  const CallSite site{op, types, output_types, constants, offered, threads, this_machine(), &packs};
  const Offer offer = implementation_named(op, implementation).offer(site);
  if (offer.refusal) return {*offer.refusal, "", {}, {}};

  std::vector<Tensor> kept;
  std::vector<const std::byte*> input_pointers;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool last = !constants[i].defined() && offer.inputs[i].kind() == Layout::Kind::channels_last;
    kept.push_back(last ? moved_channels(inputs[i], true) : inputs[i]);
    input_pointers.push_back(constants[i].defined() ? nullptr : kept.back().data());
  }
  std::deque<PoisonedBytes> outputs;
  std::vector<std::byte*> output_pointers;
  for (const TensorType& type : output_types) output_pointers.push_back(outputs.emplace_back(type.bytes()).data());
  PoisonedBytes scratch(offer.scratch_bytes);
  const PreparedKernel kernel = offer.prepare();
  const Step step = kernel.bind({input_pointers, output_pointers, scratch.data()});
  ThreadTeam team(threads);
  step.run(team);
  std::vector<std::vector<std::byte>> first;
  for (std::size_t i = 0; i < outputs.size(); ++i) first.emplace_back(outputs[i].data(), outputs[i].data() + output_types[i].bytes());
  const auto expect_unchanged = [&](const std::string& what) {
    for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(std::memcmp(first[i].data(), outputs[i].data(), first[i].size()), 0) << what << ", output " << i;
  };
  step.run(team);  // what the first run left in the scratch must not matter
  expect_unchanged("two runs differ");
  for (int fewer = 1; fewer < threads; ++fewer) {  // a team may come with fewer members than planned
    ThreadTeam smaller(fewer);
    for (std::size_t i = 0; i < outputs.size(); ++i) std::memset(outputs[i].data(), 0xFF, first[i].size());
    step.run(smaller);
    expect_unchanged(std::to_string(fewer) + " members of " + std::to_string(threads) + " compute something else");
  }
  EXPECT_TRUE(scratch.margin_untouched()) << "wrote behind the scratch";
  CallResult result{"", offer.detail, {}, {}};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_TRUE(outputs[i].margin_untouched()) << "wrote behind output " << i;
    Tensor tensor(output_types[i].dtype, output_types[i].shape);
    std::memcpy(tensor.data(), first[i].data(), tensor.bytes());
    result.outputs.push_back(offer.outputs[i].kind() == Layout::Kind::channels_last ? moved_channels(tensor, false) : tensor);
  }
  result.output = result.outputs.front();
  return result;
}

}  // namespace edgelab::kernels::testing

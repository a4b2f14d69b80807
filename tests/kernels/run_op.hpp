#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

#include "core/thread_team.hpp"
#include "kernels/op.hpp"
#include "kernels/pack_cache.hpp"

namespace edgelab::kernels::testing {

inline const Implementation& implementation_named(const Op& op, std::string_view name) {
  const auto list = op.implementations();
  const auto found = std::find_if(list.begin(), list.end(), [&](const Implementation& i) { return i.name == name; });
  if (found == list.end()) throw std::runtime_error("no such implementation");
  return *found;
}

struct TeamSize {
  TeamSize(int all) : planned(all), running(all) {}  // NOLINT: implicit by design
  TeamSize(int planned_for, int runs) : planned(planned_for), running(runs) {}
  int planned, running;  // a team may come with fewer members than planned
};

// One op by one implementation on plain tensors, by a team. Outputs and scratch begin as NaN (all ones). Inputs from
// `first_constant` on are known beforehand. An empty result: the implementation refused, and `refusal` says why.
inline std::vector<Tensor> run_op(const Op& op, std::string_view implementation, const std::vector<Tensor>& inputs, TeamSize threads,
                                  std::string* refusal = nullptr, std::size_t first_constant = std::numeric_limits<std::size_t>::max()) {
  std::vector<TensorType> types;
  std::vector<Layout> offered;
  std::vector<Tensor> constants;
  std::vector<const std::byte*> input_pointers;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    types.push_back({inputs[i].dtype(), inputs[i].shape()});
    offered.push_back(Layout::plain(types.back()));
    constants.push_back(i < first_constant ? Tensor() : inputs[i]);
    input_pointers.push_back(i < first_constant ? inputs[i].data() : nullptr);
  }
  const std::vector<TensorType> output_types = op.infer(types);
  PackCache packs;
  const CallSite site{op, types, output_types, constants, offered, threads.planned, this_machine(), &packs};
  const Offer offer = implementation_named(op, implementation).offer(site);
  if (offer.refusal) {
    if (refusal != nullptr) *refusal = *offer.refusal;
    return {};
  }
  std::vector<Tensor> outputs;
  std::vector<std::byte*> output_pointers;
  for (const TensorType& type : output_types) {
    outputs.emplace_back(type.dtype, type.shape);
    std::fill_n(outputs.back().data(), outputs.back().bytes(), std::byte{0xFF});
    output_pointers.push_back(outputs.back().data());
  }
  constexpr std::size_t kMargin = 256;
  const std::shared_ptr<std::byte> scratch = allocate_aligned(offer.scratch_bytes + kMargin);
  std::fill_n(scratch.get(), offer.scratch_bytes + kMargin, std::byte{0xFF});
  const Step step = offer.prepare().bind({input_pointers, output_pointers, scratch.get()});
  ThreadTeam team(threads.running);
  for (int run = 0; run < 2; ++run) step.run(team);  // the second one finds the scratch as the first left it
  for (std::size_t i = 0; i < kMargin; ++i) EXPECT_EQ(scratch.get()[offer.scratch_bytes + i], std::byte{0xFF}) << "wrote past its scratch";
  return outputs;
}

}  // namespace edgelab::kernels::testing

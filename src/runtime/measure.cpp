#include "runtime/measure.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "core/clock.hpp"
#include "core/tensor.hpp"
#include "runtime/executable.hpp"

namespace edgelab::runtime {
namespace {

constexpr int kLeastRounds = 5, kMostRounds = 25;
constexpr std::int64_t kBudgetNs = 5'000'000;
// With hundreds of images a call takes as long as what disturbs it: two of each tell as much as five short ones do.
constexpr int kRoundsOfLong = 2;
constexpr std::int64_t kLongNs = 100'000'000;
constexpr std::int64_t kHopeless = 2;  // times the best, after two rounds: not called again

bool enough(int rounds, std::int64_t elapsed_ns) {
  if (elapsed_ns >= kLongNs) return rounds >= kRoundsOfLong;
  return rounds >= kMostRounds || (rounds >= kLeastRounds && elapsed_ns >= kBudgetNs);
}

// 0x3c3c3c3c is 0.0115 as an f32, and 0x3c3c 0.0115 as a bf16.
void fill(std::byte* memory, std::size_t bytes) { std::memset(memory, 0x3c, bytes); }

std::shared_ptr<std::byte> filled(std::size_t bytes) {
  auto memory = allocate_aligned(std::max<std::size_t>(bytes, 1));
  fill(memory.get(), bytes);
  return memory;
}

}  // namespace

Trial trial_of(const kernels::CallSite& site, const kernels::Offer& offer) {
  struct Run {
    explicit Run(int threads) : team(threads) {}
    std::vector<std::shared_ptr<std::byte>> memory;
    kernels::Step step;
    ThreadTeam team;
  };
  const auto run = std::make_shared<Run>(site.threads);
  std::vector<const std::byte*> inputs;
  std::vector<std::byte*> outputs;
  for (std::size_t i = 0; i < offer.inputs.size(); ++i) {
    run->memory.push_back(site.constant(i) ? nullptr : filled(offer.inputs[i].bytes()));
    inputs.push_back(site.constant(i) ? site.constants[i].data() : run->memory.back().get());
  }
  for (const kernels::Layout& layout : offer.outputs) {
    run->memory.push_back(filled(layout.bytes()));
    outputs.push_back(run->memory.back().get());
  }
  run->memory.push_back(filled(offer.scratch_bytes));
  run->step = offer.prepare().bind({inputs, outputs, run->memory.back().get()});
  return [run] { run->step.run(run->team); };
}

Trial trial_of(std::shared_ptr<const Plan> plan) {
  const auto executable = std::make_shared<Executable>(std::move(plan));
  for (std::size_t i = 0; i < executable->plan().inputs().size(); ++i) fill(executable->input(i).data(), executable->input(i).bytes());
  return [executable] { executable->run(); };
}

std::vector<std::int64_t> least_times(const std::vector<Trial>& trials) {
  for (const Trial& trial : trials) trial();
  std::vector<std::int64_t> least(trials.size(), std::numeric_limits<std::int64_t>::max());
  const std::int64_t begin = now_ns();
  for (int round = 0; !enough(round, now_ns() - begin); ++round) {
    const std::int64_t best = *std::min_element(least.begin(), least.end());
    for (std::size_t i = 0; i < trials.size(); ++i) {
      if (round >= 2 && least[i] / kHopeless > best) continue;
      const std::int64_t before = now_ns();
      trials[i]();
      least[i] = std::min(least[i], now_ns() - before);
    }
  }
  return least;
}

}  // namespace edgelab::runtime

#include "runtime/executable.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "core/error.hpp"
#include "kernels/binary/binary.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/linear/linear.hpp"
#include "kernels/pool/global_average_pool.hpp"
#include "support/random_tensor.hpp"

namespace {

// Every operator new of this program passes here; who asked is told by the return address.
std::atomic<bool> g_watching{false};
std::atomic<int> g_ours{0}, g_onednn{0};

void note_allocation(void* caller) {
  if (!g_watching) return;
  Dl_info info{};
  const bool in_onednn = dladdr(caller, &info) != 0 && info.dli_fname != nullptr && std::string_view(info.dli_fname).find("libdnnl") != std::string_view::npos;
  ++(in_onednn ? g_onednn : g_ours);
}

}  // namespace

// noinline: the caller is who asked, and the compiler must not see malloc meet delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  note_allocation(__builtin_return_address(0));
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
// std::stable_sort asks this way; a sanitizer's own would not match our delete.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  note_allocation(__builtin_return_address(0));
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace edgelab::runtime {
namespace {

using graph::Graph;
using graph::ValueId;
using test::random_tensor;

// A small network with a residual and layouts that differ between its kernels.
Graph small_network(int batch) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {batch, 16, 8, 8}});
  const auto weight = [&](const char* name, Shape shape) { return graph.parameter(name, {DType::f32, shape}, random_tensor(shape, stream_key(1, name), 0.2f)); };
  kernels::Conv2d depthwise{1, 1, 16};
  const ValueId d = graph.add("depthwise", depthwise, {x, weight("d", {16, 1, 3, 3})});
  const ValueId p = graph.add("pointwise", kernels::Conv2d{}, {d, weight("p", {16, 16, 1, 1})});
  const ValueId sum = graph.add("sum", kernels::Binary{}, {p, x});
  const ValueId pooled = graph.add("pool", kernels::GlobalAveragePool{}, {sum});
  graph.output(graph.add("fc", kernels::Linear{}, {pooled, weight("fc", {10, 16})}));
  return graph;
}

int allocations_of_a_run(const std::vector<std::string>& implementations) {
  PlanOptions options;
  options.threads = 2;
  options.implementations = implementations;
  Executable executable(Plan::compile(small_network(2), options));
  executable.run();  // OpenMP starts its team at the first
  g_ours = g_onednn = 0;
  g_watching = true;
  executable.run();
  g_watching = false;
  return g_ours;
}

TEST(Executable, ARunAllocatesNothing) {
  EXPECT_EQ(allocations_of_a_run({"reference"}), 0);
  EXPECT_EQ(g_onednn, 0);
}

TEST(Executable, ARunThroughOneDnnAllocatesNothingOfOurs) {
  EXPECT_EQ(allocations_of_a_run({}), 0);
  RecordProperty("allocations_inside_onednn", g_onednn);
}

TEST(Executable, TheWatchOverAllocationsSeesOne) {
  g_ours = 0;
  g_watching = true;
  const auto seen = std::make_unique<std::vector<int>>(100);
  g_watching = false;
  EXPECT_GE(g_ours, 2) << seen->size();
}

TEST(Executable, StopsBetweenTwoStepsWhenItIsToldTo) {
  Executable executable(Plan::compile(small_network(1), {}));
  int asked = 0;
  executable.stop_when([&asked] { return ++asked == 3; });
  EXPECT_THROW(executable.run(), Cancelled);
  EXPECT_EQ(asked, 3);
  EXPECT_NO_THROW(executable.run());
}

TEST(Executable, TwoOnOnePlanDoNotDisturbEachOther) {
  const auto plan = Plan::compile(small_network(1), {});
  Executable first(plan), second(plan);
  const Tensor a = random_tensor({1, 16, 8, 8}, 1), b = random_tensor({1, 16, 8, 8}, 2);
  std::ranges::copy(a.as<float>(), first.input().as<float>().begin());
  std::ranges::copy(b.as<float>(), second.input().as<float>().begin());
  first.run();
  const Tensor alone = first.output().clone();
  second.run();
  first.run();
  EXPECT_EQ(test::relative_difference(first.output(), alone), 0.0);
  EXPECT_GT(test::relative_difference(second.output(), alone), 0.0);
}

TEST(Executable, EachSampleOfABatchGetsTheAnswerItGetsAlone) {
  const Tensor batch = random_tensor({3, 16, 8, 8}, 9);
  Executable three(Plan::compile(small_network(3), {})), one(Plan::compile(small_network(1), {}));
  std::ranges::copy(batch.as<float>(), three.input().as<float>().begin());
  three.run();
  for (std::ptrdiff_t sample = 0; sample < 3; ++sample) {
    std::ranges::copy(batch.as<float>().subspan(static_cast<std::size_t>(sample) * 1024, 1024), one.input().as<float>().begin());
    one.run();
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_NEAR(one.output().as<float>()[i], three.output().as<float>()[static_cast<std::size_t>(sample) * 10 + i], 1e-5);
    }
  }
}

TEST(Executable, ItsInputSurvivesARunAndTimesAreOneAStep) {
  Executable executable(Plan::compile(small_network(1), {}));
  const Tensor x = random_tensor({1, 16, 8, 8}, 4);
  std::ranges::copy(x.as<float>(), executable.input().as<float>().begin());
  const std::vector<std::int64_t> times = profile(executable, 3);
  EXPECT_EQ(times.size(), executable.plan().steps().size());
  EXPECT_TRUE(std::ranges::equal(executable.input().as<float>(), x.as<float>()));
  EXPECT_GE(executable.plan().arena_bytes(), executable.plan().arena_lower_bound());
}

TEST(Plan, AWeightWithoutDataIsNamed) {
  Graph graph;
  const ValueId x = graph.input("x", {DType::f32, {1, 8}});
  graph.output(graph.add("fc", kernels::Linear{}, {x, graph.parameter("classifier.1.weight", {DType::f32, {4, 8}})}));
  try {
    Plan::compile(graph, {});
    FAIL() << "a plan was made of weights that are not there";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("classifier.1.weight"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace edgelab::runtime

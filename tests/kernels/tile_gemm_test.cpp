#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <thread>

#include "core/error.hpp"
#include "kernels/tile_gemm/implementations.hpp"
#include "kernels/tile_gemm/speed_limit.hpp"
#include "tile_gemm_problem.hpp"

namespace {

// Counts what this program asks of the heap, oneDNN's library included.
std::atomic<std::int64_t> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

// Not inlined: GCC would see malloc's and free's halves apart, and warn that they don't match.
[[gnu::noinline]] void* operator new(std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new[](std::size_t bytes) { return counted(bytes, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) { return counted(bytes, static_cast<std::size_t>(alignment)); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace edgelab::kernels::tile_gemm::testing {
namespace {

struct Types {
  DType a, b;
};
constexpr Types kTypes[] = {{DType::f32, DType::f32}, {DType::bf16, DType::bf16}, {DType::u8, DType::s8}, {DType::s8, DType::s8}};

// What the pickiest takes: AMX reads whole groups along K, and rows of A.
void make_easy(Settings& settings) {
  settings.transposed_a = false;
  settings.k = (settings.k + 63) / 64 * 64;
  settings.lda = std::max(settings.lda, settings.k);
  if (settings.batch > 1) settings.a_step = std::max(settings.a_step, settings.m * settings.lda);
}

// Runs `count` random products of each pair of types, made easy where they are refused. Returns how many it did not refuse.
int compare_with_reference(const Implementation& implementation, int count, std::uint64_t seed) {
  int ran = 0;
  for (const Types types : kTypes) {
    CounterRandom random(stream_key(seed, std::string(name_of(types.a)) + std::string(implementation.name)));
    for (int i = 0; i < count && !::testing::Test::HasFatalFailure(); ++i) {
      Settings settings = random_settings(random, types.a, types.b);
      check(settings);
      if (implementation.refuses(settings, this_machine())) make_easy(settings);
      if (implementation.refuses(settings, this_machine())) continue;
      const Problem problem(settings, random);
      expect_equal(problem, problem.run(implementation.make(settings)), problem.run(make_reference(settings)), std::string(implementation.name));
      ++ran;
    }
  }
  return ran;
}

Settings plain(std::int64_t m, std::int64_t n, std::int64_t k, DType type = DType::f32) {
  Settings settings;
  settings.m = m;
  settings.n = n;
  settings.k = k;
  settings.lda = k;
  settings.ldc = n;
  settings.a = settings.b = type;
  return settings;
}

const Implementation& named(std::string_view name) {
  for (const Implementation& implementation : implementations()) {
    if (implementation.name == name) return implementation;
  }
  throw std::runtime_error("no such implementation");
}

class TileGemmImplementation : public ::testing::TestWithParam<const char*> {};

TEST_P(TileGemmImplementation, EqualsTheReferenceOnRandomProducts) {
  const Implementation& implementation = named(GetParam());
  const auto refusal = implementation.refuses(plain(16, 64, 64), this_machine());
  if (refusal) GTEST_SKIP() << *refusal;
  // f32 always; a second pair of types everywhere but in oneDNN on a machine older than AVX-512 and VNNI.
  const bool f32_alone = std::string_view(GetParam()) == "onednn" && !this_machine().has("avx512_vnni") && !this_machine().has("avx_vnni");
  EXPECT_GE(compare_with_reference(implementation, 300, 1), f32_alone ? 300 : 600);
}

TEST_P(TileGemmImplementation, EqualsTheReferenceOnTheShapesOfTheModels) {
  const Implementation& implementation = named(GetParam());
  CounterRandom random(stream_key(2, "models"));
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{112, 32, 27}, {56, 144, 24}, {49, 160, 960}, {99, 64, 192}, {33, 197, 64}, {33, 64, 197},
                                {1, 1000, 1280}, {64, 64, 3072}}) {
    for (const DType type : {DType::f32, DType::bf16}) {
      Settings settings = plain(m, n, k, type);
      settings.c = type;
      settings.epilogue.bias = true;
      settings.epilogue.activation = Activation::relu6;
      if (implementation.refuses(settings, this_machine())) continue;
      const Problem problem(settings, random);
      expect_equal(problem, problem.run(implementation.make(settings)), problem.run(make_reference(settings)), std::string(implementation.name));
    }
  }
}

TEST_P(TileGemmImplementation, AddsAResidualThatIsCItself) {
  const Implementation& implementation = named(GetParam());
  CounterRandom random(stream_key(3, "in place"));
  Settings settings = plain(19, 80, 33);
  settings.epilogue.bias = settings.epilogue.residual = true;
  settings.epilogue.residual_ld = settings.ldc = 90;
  if (const auto refusal = implementation.refuses(settings, this_machine())) GTEST_SKIP() << *refusal;
  const Problem problem(settings, random);
  const Buffer want = problem.run(make_reference(settings));
  const Kernel kernel = implementation.make(settings);
  const auto packed = problem.pack(kernel);
  const auto scratch = allocate_aligned(kernel.scratch_bytes());
  Buffer c = problem.residual;
  Arguments arguments = problem.arguments(packed.get(), c.data(), scratch.get());
  arguments.residual = c.data();
  kernel.run(arguments);
  for (std::int64_t m = 0; m < settings.m; ++m) {
    for (std::int64_t n = 0; n < settings.n; ++n) EXPECT_NEAR(c.get(m * 90 + n), want.get(m * 90 + n), problem.tolerance(1));
  }
}

TEST_P(TileGemmImplementation, GivesTheSameFromManyThreadsAtOnce) {
  const Implementation& implementation = named(GetParam());
  CounterRandom random(stream_key(4, "threads"));
  Settings settings = plain(23, 100, 67);
  settings.epilogue.bias = true;
  settings.epilogue.scale = Scale::per_column;
  settings.epilogue.activation = Activation::gelu;
  if (const auto refusal = implementation.refuses(settings, this_machine())) GTEST_SKIP() << *refusal;
  constexpr int kThreads = 8;
  std::vector<Problem> problems;  // other pointers in every thread
  for (int t = 0; t < kThreads; ++t) problems.emplace_back(settings, random);
  std::vector<std::vector<std::byte>> alone;
  for (const Problem& problem : problems) alone.push_back(problem.run(implementation.make(settings)).bytes());
  std::atomic<int> differing{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) differing += problems[t].run(implementation.make(settings)).bytes() != alone[t];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(differing, 0);
}

TEST_P(TileGemmImplementation, AllocatesNothingOfItsOwnInARun) {
  const Implementation& implementation = named(GetParam());
  CounterRandom random(stream_key(5, "allocations"));
  for (int i = 0; i < 40; ++i) {
    constexpr Types kFast[] = {kTypes[0], kTypes[1], kTypes[2]};
    const Types types = kFast[i % std::ssize(kFast)];
    const Settings settings = random_settings(random, types.a, types.b);
    if (implementation.refuses(settings, this_machine())) continue;
    const Problem problem(settings, random);
    const Kernel kernel = implementation.make(settings);
    auto packed = problem.pack(kernel);
    const auto scratch = allocate_aligned(kernel.scratch_bytes());
    const Arguments arguments = problem.arguments(packed.get(), problem.c.data(), scratch.get());
    const std::int64_t before = allocations;
    kernel.pack({problem.b[0].data(), problem.ldb, problem.transposed}, packed.get());
    kernel.run(arguments);
    // The library of oneDNN 3.7 allocates once in each call, and there is one call a block of 64 columns.
    const std::int64_t of_the_library = implementation.name == "onednn" ? (settings.n + 63) / 64 : 0;
    EXPECT_LE(allocations - before, of_the_library) << text(settings);
  }
}

TEST_P(TileGemmImplementation, KeepsANaNAndClampsInfinity) {
  const Implementation& implementation = named(GetParam());
  Settings settings = plain(3, 40, 1);
  settings.epilogue.activation = Activation::relu6;
  if (const auto refusal = implementation.refuses(settings, this_machine())) GTEST_SKIP() << *refusal;
  const Kernel kernel = implementation.make(settings);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float a[3] = {1.0f, kInfinity, -kInfinity};
  const std::vector<float> b(40, 1.0f);
  const auto packed = allocate_aligned(kernel.packed_bytes());
  kernel.pack({b.data(), 40, false}, packed.get());
  const auto scratch = allocate_aligned(kernel.scratch_bytes());
  std::vector<float> c(120);
  Arguments arguments;
  arguments.a = a;
  arguments.packed_b = packed.get();
  arguments.c = c.data();
  arguments.scratch = scratch.get();
  kernel.run(arguments);
  EXPECT_EQ(c[39], 1.0f);
  EXPECT_EQ(c[40], 6.0f);
  EXPECT_EQ(c[119], 0.0f);
}

INSTANTIATE_TEST_SUITE_P(Each, TileGemmImplementation, ::testing::Values("onednn", "simd", "reference"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(TileGemmReference, EqualsThePlainSumOfTheFormula) {
  CounterRandom random(stream_key(6, "formula"));
  Settings settings = plain(4, 5, 6);
  settings.batch = 2;
  settings.a_step = 24;
  settings.epilogue = {Scale::per_column, true, true, DType::f32, 5, Activation::relu};
  const Problem problem(settings, random);
  const Buffer got = problem.run(make_reference(settings));
  for (std::int64_t m = 0; m < 4; ++m) {
    for (std::int64_t n = 0; n < 5; ++n) {
      double sum = 0;
      for (std::int64_t i = 0; i < 2; ++i) {
        const Buffer& b = problem.b[static_cast<std::size_t>(i)];
        for (std::int64_t k = 0; k < 6; ++k) {
          sum += problem.a.get(24 * i + 6 * m + k) * b.get(problem.transposed ? n * problem.ldb + k : k * problem.ldb + n);
        }
      }
      const double want = std::max(0.0, sum * problem.scale.get(n) + problem.bias.get(n) + problem.residual.get(5 * m + n));
      EXPECT_FLOAT_EQ(static_cast<float>(got.get(5 * m + n)), static_cast<float>(want));
    }
  }
}

TEST(TileGemm, TriesOneDnnThenHighwayThenTheReference) {
  std::vector<std::string_view> names;
  for (const Implementation& implementation : implementations()) names.push_back(implementation.name);
  EXPECT_THAT(names, ::testing::ElementsAre("onednn", "simd", "reference"));
}

TEST(TileGemm, KeepsTheReasonsOfThoseThatRefused) {
  Settings settings = plain(4, 16, 8);
  settings.a = settings.b = DType::s8;
  const Choice choice = choose(settings);
  EXPECT_EQ(choice.implementation, "reference");
  ASSERT_EQ(choice.refusals.size(), 2u);
  EXPECT_EQ(choice.refusals[0].implementation, "onednn");
  EXPECT_FALSE(choice.refusals[0].reason.empty());
  EXPECT_THAT(choice.refusals[1].reason, ::testing::HasSubstr("integer"));
}

TEST(TileGemmReference, RequantizesByTheFormula) {
  Settings settings = plain(1, 2, 2);
  settings.a = settings.c = DType::u8, settings.b = DType::s8;
  settings.epilogue = {.scale = Scale::per_column, .residual = true, .residual_type = DType::u8, .residual_ld = 2, .offset = true};
  const Kernel kernel = make_reference(settings);
  const std::uint8_t a[] = {10, 200}, residual[] = {5, 9};
  const std::int8_t b[] = {3, -100, 1, 2};
  const std::int32_t offset[] = {-20, 7};
  const float scale[] = {0.25f, 0.5f};
  std::uint8_t c[2] = {};
  const auto packed = allocate_aligned(kernel.packed_bytes());
  kernel.pack({b, 2, false}, packed.get());
  Arguments arguments;
  arguments.a = a, arguments.packed_b = packed.get(), arguments.c = c, arguments.scale = scale, arguments.residual = residual, arguments.offset = offset;
  arguments.requantize = {100, 20, 255, 4, 0.5f, 1.0f};
  kernel.run(arguments);
  // (30 + 200 − 20) · 0.25 + 1 · 0.5 = 53; (−1000 + 400 + 7) · 0.5 + 2.5 = −294, far below the bound.
  EXPECT_EQ(c[0], 153);
  EXPECT_EQ(c[1], 20);
}

TEST(TileGemm, RefusesSettingsWithoutAMeaning) {
  const auto rejected = [](void (*change)(Settings&)) {
    Settings settings = plain(4, 16, 8);
    change(settings);
    try {
      choose(settings);
      return false;
    } catch (const Error& error) {
      return error.kind() == ErrorKind::usage;
    }
  };
  EXPECT_FALSE(rejected([](Settings&) {}));
  EXPECT_TRUE(rejected([](Settings& s) { s.k = 0; }));
  EXPECT_TRUE(rejected([](Settings& s) { s.m = -1; }));
  EXPECT_TRUE(rejected([](Settings& s) { s.lda = 0; }));
  EXPECT_TRUE(rejected([](Settings& s) { s.ldc = 15; }));
  EXPECT_TRUE(rejected([](Settings& s) { s.b = DType::bf16; }));
  EXPECT_TRUE(rejected([](Settings& s) { s.c = DType::s32; }));
  EXPECT_TRUE(rejected([](Settings& s) { s.c = DType::bf16, s.accumulate = true; }));
  EXPECT_TRUE(rejected([](Settings& s) { s.epilogue.residual = true; }));
}

TEST(TileGemm, HasOneTextForEachSettings) {
  CounterRandom random(stream_key(7, "texts"));
  std::vector<Settings> all;
  for (int i = 0; i < 400; ++i) all.push_back(random_settings(random, DType::f32, DType::f32));
  for (const Settings& one : all) {
    for (const Settings& other : all) EXPECT_EQ(one == other, text(one) == text(other)) << text(one);
  }
}

// That it is the most can't be tested without failing on a time; that it is something, once, and of these types, can.
TEST(TileGemm, SaysWhatTheMachineReaches) {
  for (const DType type : {DType::f32, DType::bf16, DType::u8}) {
    const double limit = speed_limit(type, 1);
    EXPECT_GT(limit, 1e6) << name_of(type);
    EXPECT_EQ(speed_limit(type, 1), limit);
  }
  EXPECT_EQ(speed_limit(DType::s8, 1), speed_limit(DType::u8, 1));
  EXPECT_EQ(speed_limit(DType::s64, 1), 0.0);
}

}  // namespace
}  // namespace edgelab::kernels::tile_gemm::testing

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "each_target.hpp"
#include "kernels/tile_gemm/implementations.hpp"
#include "tile_gemm_problem.hpp"

namespace edgelab::kernels::tile_gemm::testing {
namespace {

using test::on_each_target;

TEST(TileGemmSimd, EqualsTheReferenceOnEveryInstructionSet) {
  on_each_target([] {
    CounterRandom random(stream_key(11, "targets"));
    for (int i = 0; i < 400 && !::testing::Test::HasFatalFailure(); ++i) {
      constexpr std::array<DType, 4> kA = {DType::f32, DType::u8, DType::bf16, DType::u8};
      const DType a = kA[static_cast<std::size_t>(i) % kA.size()], b = a == DType::u8 ? DType::s8 : a;
      const Problem problem(random_settings(random, a, b), random);
      expect_equal(problem, problem.run(make_simd(problem.settings)), problem.run(make_reference(problem.settings)), "simd");
    }
  });
}

// Sums of 16 bits on the way would overflow: 255 · 127 + 255 · 127 on x86, −128 · −128 + −128 · −128 on Arm, which takes 128 from A.
TEST(TileGemmSimd, AddsTheLargestProductsOfBytesExactly) {
  on_each_target([] {
    for (const int least : {-127, -128}) {
      Settings settings;
      settings.m = 13, settings.n = 37, settings.k = settings.lda = 75, settings.ldc = 37;
      settings.a = DType::u8, settings.b = DType::s8, settings.c = DType::s32;
      CounterRandom random(stream_key(13, "largest products"));
      const Problem problem(settings, random);
      auto* a = static_cast<std::uint8_t*>(problem.a.data());
      for (std::int64_t i = 0; i < settings.m * settings.k; ++i) a[i] = random.below(8) == 0 ? 255 : 0;
      auto* b = static_cast<std::int8_t*>(problem.b.front().data());
      const std::int64_t rows = problem.transposed ? settings.n : settings.k;
      for (std::int64_t i = 0; i < (rows - 1) * problem.ldb + (problem.transposed ? settings.k : settings.n); ++i) {
        b[i] = static_cast<std::int8_t>(random.below(8) == 0 ? 127 : least);
      }
      expect_equal(problem, problem.run(make_simd(problem.settings)), problem.run(make_reference(problem.settings)), "simd");
    }
  });
}

TEST(TileGemmSimd, RunsMoreThanOneInstructionSetOnX86) {
  int targets = 0;
  on_each_target([&targets] { ++targets; });
#ifdef __x86_64__
  if (!this_machine().has("avx2")) GTEST_SKIP() << "this machine has no AVX2";
  EXPECT_GE(targets, 2);
#else
  EXPECT_GE(targets, 1);
#endif
}

TEST(TileGemmSimd, KeepsANaNThroughEveryActivation) {
  on_each_target([] {
    for (const Activation activation : {Activation::none, Activation::relu, Activation::relu6, Activation::gelu}) {
      for (const DType c : {DType::f32, DType::bf16}) {
        Settings settings;
        settings.m = settings.n = settings.k = settings.lda = settings.ldc = 1;
        settings.c = c;
        settings.epilogue.activation = activation;
        const Kernel kernel = make_simd(settings);
        const float a = std::numeric_limits<float>::quiet_NaN(), b = 1.0f;
        const auto packed = allocate_aligned(kernel.packed_bytes());
        kernel.pack({&b, 1, false}, packed.get());
        const Buffer out(c, 1);
        Arguments arguments;
        arguments.a = &a;
        arguments.packed_b = packed.get();
        arguments.c = out.data();
        kernel.run(arguments);
        EXPECT_TRUE(std::isnan(out.get(0)));
      }
    }
  });
}

}  // namespace
}  // namespace edgelab::kernels::tile_gemm::testing

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include <hwy/targets.h>
#include "kernels/tile_gemm/implementations.hpp"
#include "kernels/tile_gemm/simd.hpp"
#include "tile_gemm_problem.hpp"

namespace edgelab::kernels::tile_gemm::testing {
namespace {

// Calls `test` with each instruction set that was compiled and that this machine runs.
template <class Test> void on_each_target(const Test& test) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    test();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(TileGemmSimd, EqualsTheReferenceOnEveryInstructionSet) {
  on_each_target([] {
    CounterRandom random(stream_key(11, "targets"));
    for (int i = 0; i < 200 && !::testing::Test::HasFatalFailure(); ++i) {
      const DType type = i % 2 == 0 ? DType::f32 : DType::bf16;
      const Problem problem(random_settings(random, type, type), random);
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

TEST(TileGemmSimd, KeepsGeluWithinItsStatedError) {
  on_each_target([] {
    const SimdTarget target = best_simd_target();
    std::vector<float> x;
    for (int i = -2000000; i <= 2000000; ++i) x.push_back(static_cast<float>(i) * 1e-5f);
    std::vector<float> y(x.size());
    target.gelu(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
    double worst = 0;
    float at = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double value = x[i];
      const double want = value * 0.5 * std::erfc(-value / std::numbers::sqrt2);
      const double error = std::abs(y[i] - want) / std::max(1.0, std::abs(want));
      if (error > worst) worst = error, at = x[i];
    }
    RecordProperty("worst", std::to_string(worst * 1e9) + "e-9 at " + std::to_string(at));
    EXPECT_LE(worst, kSimdGeluError) << "at " << at;
  });
}

TEST(TileGemmSimd, GivesGeluAtTheEdges) {
  on_each_target([] {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float x[] = {0.0f, -0.0f, kInfinity, -kInfinity, 1e30f, -1e30f, std::numeric_limits<float>::quiet_NaN(), 1e-40f};
    float y[8];
    best_simd_target().gelu(x, y, 8);
    EXPECT_EQ(y[0], 0.0f);
    EXPECT_EQ(y[1], 0.0f);
    EXPECT_EQ(y[2], kInfinity);
    EXPECT_EQ(y[3], 0.0f);
    EXPECT_EQ(y[4], 1e30f);
    EXPECT_EQ(y[5], 0.0f);
    EXPECT_TRUE(std::isnan(y[6]));
    EXPECT_LE(std::abs(y[7]), 1e-40f);
  });
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

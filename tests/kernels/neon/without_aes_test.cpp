// A Raspberry Pi 4 has NEON and no AES, which Highway 1.0 takes for a processor without NEON.
#include <gtest/gtest.h>

#include <asm/hwcap.h>
#include <sys/auxv.h>

#include "../tile_gemm_problem.hpp"
#include "kernels/tile_gemm/implementations.hpp"
#include "kernels/tile_gemm/simd.hpp"

extern "C" unsigned long __getauxval(unsigned long type);

// In the place of the C library's, for Highway's library too.
extern "C" unsigned long getauxval(unsigned long type) {
  const unsigned long value = __getauxval(type);
  return type == AT_HWCAP ? value & ~static_cast<unsigned long>(HWCAP_AES | HWCAP_PMULL | HWCAP_SHA1 | HWCAP_SHA2)
                          : value;
}

namespace edgelab::kernels::tile_gemm::testing {
namespace {

TEST(NeonWithoutAes, MultipliesByVectors) {
  ASSERT_FALSE(this_machine().has("aes"));
  EXPECT_EQ(best_simd_target().lanes, 4);
  CounterRandom random(stream_key(12, "without AES"));
  for (const DType a : {DType::f32, DType::u8}) {
    const Problem problem(random_settings(random, a, a == DType::u8 ? DType::s8 : a), random);
    expect_equal(problem, problem.run(make_simd(problem.settings)), problem.run(make_reference(problem.settings)),
                 "simd");
  }
}

}  // namespace
}  // namespace edgelab::kernels::tile_gemm::testing

#include "core/memory_rate.hpp"

#include <gtest/gtest.h>

#include <cstdint>

#include "core/host_state.hpp"
#include "core/machine.hpp"

namespace edgelab {
namespace {

// How much it is differs between machines; between what no memory is slow enough for and what none is fast enough for it lies on all.
TEST(MemoryRate, IsOfThisMachine) {
  for (const int threads : {1, 2}) {
    const double rate = measured_memory_read_rate(threads);
    EXPECT_GT(rate, 1e7) << threads;
    EXPECT_LT(rate, 1e13) << threads;
  }
}

TEST(MemoryRate, GivesItsMemoryBack) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer keeps up to 256 MiB of what was freed, so as to know a use of it";
#endif
  const std::int64_t before = resident_bytes();
  measured_memory_read_rate(1);
  EXPECT_GT(peak_resident_bytes(), before + (16 << 20));  // 64 MiB at least, but on a board with less than 1 GB
  EXPECT_LT(resident_bytes(), before + (8 << 20));
}

}  // namespace
}  // namespace edgelab

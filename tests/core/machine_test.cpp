#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/machine.hpp"

namespace edgelab {
namespace {

TEST(Machine, KnowsTheHostItRunsOn) {
  const Machine& machine = this_machine();
  EXPECT_FALSE(machine.host_name.empty());
  EXPECT_FALSE(machine.kernel.empty());
  EXPECT_FALSE(machine.features.empty());
  EXPECT_GE(machine.cores, 1);
  EXPECT_GT(machine.memory_bytes, std::int64_t{64} << 20);
  EXPECT_EQ(&this_machine(), &machine);
}

TEST(Machine, HasTheFeaturesThatItListsAndNoOther) {
  Machine machine;
  machine.features = {"avx512f", "fma"};
  EXPECT_TRUE(machine.has("fma"));
  EXPECT_FALSE(machine.has("avx512"));
  EXPECT_FALSE(machine.has(""));
}

TEST(Features, AreFoundByTheKernelsNameAndByThoseThatPeopleUse) {
  const std::vector<std::string> pi5 = {"fp", "asimd", "fphp", "asimdhp", "asimddp"};
  for (const char* name : {"asimddp", "neon", "neon-dotprod", "dotprod", "fp16", "neon_fp16"}) EXPECT_TRUE(has_feature(pi5, name)) << name;
  for (const char* name : {"bf16", "i8mm", "vnni", "avx2", "asim", ""}) EXPECT_FALSE(has_feature(pi5, name)) << name;
  const std::vector<std::string> xeon = {"sse4_2", "avx512_bf16", "avx512_vnni"};
  for (const char* name : {"avx512-bf16", "avx512_bf16", "bf16", "vnni", "sse4.2"}) EXPECT_TRUE(has_feature(xeon, name)) << name;
  for (const char* name : {"neon", "dotprod", "fp16"}) EXPECT_FALSE(has_feature(xeon, name)) << name;
}

TEST(Machine, MeasuresThePeakOfItsMemory) {
  const std::int64_t before = peak_resident_bytes();
  EXPECT_GT(before, 0);
  const std::size_t more = static_cast<std::size_t>(before) + (std::size_t{32} << 20);
  const std::vector<char> touched(more, 1);
  EXPECT_GE(peak_resident_bytes(), static_cast<std::int64_t>(more)) << touched[more / 2];
}

cpu_set_t affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  return set;
}

TEST(Cores, AreListedWithoutChangingTheBinding) {
  const cpu_set_t before = affinity();
  const std::vector<int> cores = usable_cores();
  const cpu_set_t after = affinity();
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
  ASSERT_FALSE(cores.empty());
  EXPECT_EQ(std::set<int>(cores.begin(), cores.end()).size(), cores.size());
}

TEST(Cores, AreSeenBehindANarrowerBinding) {
  const std::vector<int> all = usable_cores();
  std::thread([&all] {
    ASSERT_TRUE(bind_to_cores({all.front()}));
    EXPECT_EQ(usable_cores(), all);
    EXPECT_EQ(sched_getcpu(), all.front());
  }).join();
}

TEST(Cores, RefuseABindingToNone) {
  std::thread([] { EXPECT_FALSE(bind_to_cores({})); }).join();
}

TEST(Clock, AThreadsTimeOnAProcessorStandsStillWhileItSleeps) {
  const std::int64_t cpu = thread_cpu_ns(), wall = now_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LT(thread_cpu_ns() - cpu, (now_ns() - wall) / 2);
  EXPECT_GT(thread_cpu_ns(), cpu);
}

TEST(Clock, GoesForward) {
  const std::int64_t before = now_ns();
  EXPECT_GE(now_ns(), before);
  EXPECT_GT(wall_clock_ns(), std::int64_t{1700000000} * 1000000000);
}

TEST(Clock, WritesUniversalTime) {
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(utc_text(std::int64_t{1795408760} * 1000000000 + 999999999), "2026-11-23T04:39:20Z");
}

}  // namespace
}  // namespace edgelab

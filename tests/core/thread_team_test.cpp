#include "core/thread_team.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <vector>

#include "core/machine.hpp"
#include "core/parallel_for.hpp"

namespace edgelab {
namespace {

TEST(ThreadTeam, EveryMemberIsCalledOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadTeam team(threads);
    std::vector<int> calls(static_cast<std::size_t>(threads));
    for (int run = 0; run < 100; ++run) {
      team.run([&](const Member& member) {
        EXPECT_EQ(member.count(), threads);
        ++calls[static_cast<std::size_t>(member.index())];
      });
    }
    EXPECT_EQ(calls, std::vector<int>(static_cast<std::size_t>(threads), 100));
  }
}

TEST(ThreadTeam, InsideAParallelRegionTheCallerDoesItAlone) {
  std::atomic<int> calls = 0;
  parallel_for(2, 2, [&](std::int64_t, std::int64_t) {
    ThreadTeam team(2);
    team.run([&](const Member& member) {
      EXPECT_EQ(member.count(), 1);
      member.barrier();
      ++calls;
    });
  });
  EXPECT_EQ(calls, 2);
}

// Each round reads what the neighbour wrote in the round before: without a barrier, or with one that lets somebody through
// too early, a sum is wrong. Eight members on any machine: more than it has cores, so that they sleep too.
TEST(ThreadTeam, ABarrierShowsEveryMemberWhatTheOthersWrote) {
  constexpr int kMembers = 8, kRounds = 500;
  ThreadTeam team(kMembers);
  std::vector<std::int64_t> values[2] = {std::vector<std::int64_t>(kMembers, 1), std::vector<std::int64_t>(kMembers, 0)};
  team.run([&](const Member& member) {
    const auto me = static_cast<std::size_t>(member.index()), next = (me + 1) % kMembers;
    for (int round = 0; round < kRounds; ++round) {
      values[(round + 1) % 2][me] = values[round % 2][me] + values[round % 2][next] % 7 + 1;
      member.barrier();
    }
  });
  std::vector<std::int64_t> expected(kMembers, 1);
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::int64_t> after(kMembers);
    for (std::size_t i = 0; i < kMembers; ++i) after[i] = expected[i] + expected[(i + 1) % kMembers] % 7 + 1;
    expected = after;
  }
  EXPECT_EQ(values[kRounds % 2], expected);
}

TEST(ThreadTeam, PartsCoverEverythingInOrderInWholeGrains) {
  for (const std::int64_t total : {0, 1, 7, 64, 197}) {
    for (const std::int64_t grain : {1, 4, 16}) {
      TeamBarrier barrier(3, 0);
      std::int64_t expected = 0;
      for (int index = 0; index < 3; ++index) {
        const Member::Part part = Member(index, &barrier).part(total, grain);
        EXPECT_EQ(part.begin, expected);
        EXPECT_TRUE(part.end % grain == 0 || part.end == total) << part.end;
        expected = part.end;
      }
      EXPECT_EQ(expected, total);
    }
  }
}

TEST(ThreadTeam, MembersRunOnCoresOfTheirOwnAndTheCallersMaskIsPutBack) {
  const std::vector<int> cores = usable_cores();
  if (cores.size() < 2) GTEST_SKIP() << "one core only";
  cpu_set_t before, after;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  ThreadTeam team(2);
  int where[2] = {-1, -1}, allowed[2] = {0, 0};
  team.run([&](const Member& member) {
    cpu_set_t mask;
    sched_getaffinity(0, sizeof mask, &mask);
    where[member.index()] = sched_getcpu();
    allowed[member.index()] = CPU_COUNT(&mask);
  });
  ASSERT_EQ(sched_getaffinity(0, sizeof after, &after), 0);
  if (CPU_COUNT(&before) < 2) GTEST_SKIP() << "bound to one core by whoever started this";
  EXPECT_NE(where[0], where[1]);
  EXPECT_EQ(allowed[0], 1);
  EXPECT_EQ(allowed[1], 1);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
}

}  // namespace
}  // namespace edgelab

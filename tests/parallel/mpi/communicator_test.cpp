#include "parallel/communicator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "parallel/environment.hpp"

// Run on 1, 2, 3 and 4 ranks. Every expectation is derived from rank and size and checked on every rank.
namespace edgelab::parallel {
namespace {

using testing::ElementsAre;
using testing::Each;
using testing::HasSubstr;

class CommunicatorOnRanks : public testing::Test {
 protected:
  Environment environment_;
  Communicator world_ = Communicator::world();
  const int rank_ = world_.rank();
  const int size_ = world_.size();
  const int next_ = (rank_ + 1) % size_;
  const int previous_ = (rank_ + size_ - 1) % size_;
};

Bytes pattern(int seed, std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(static_cast<std::size_t>(seed) * 31 + i * 7);
  return bytes;
}

TEST_F(CommunicatorOnRanks, AllReduceSumsOverEveryRank) {
  std::vector<float> values(1000, static_cast<float>(rank_ + 1));
  world_.all_reduce(std::span<float>(values), Reduction::sum);
  EXPECT_THAT(values, Each(static_cast<float>(size_ * (size_ + 1) / 2)));
}

TEST_F(CommunicatorOnRanks, AllReduceTakesMaximumAndMinimumOfDoublesAndIntegers) {
  EXPECT_EQ(world_.all_reduce(0.5 * rank_, Reduction::max), 0.5 * (size_ - 1));
  EXPECT_EQ(world_.all_reduce(std::int64_t{100} - rank_, Reduction::min), 101 - size_);
}

TEST_F(CommunicatorOnRanks, BroadcastReachesEveryRankFromAnyRoot) {
  for (int root = 0; root < size_; ++root) {
    Bytes bytes = rank_ == root ? pattern(root, 100 + static_cast<std::size_t>(root)) : Bytes{};
    world_.broadcast(bytes, root);
    EXPECT_EQ(bytes, pattern(root, 100 + static_cast<std::size_t>(root)));
  }
}

TEST_F(CommunicatorOnRanks, GatherKeepsRankOrderWithSizesThatDiffer) {
  const int root = size_ - 1;
  const std::vector<Bytes> all = world_.gather(pattern(rank_, static_cast<std::size_t>(rank_) * 10), root);
  if (rank_ != root) {
    EXPECT_TRUE(all.empty());
    return;
  }
  ASSERT_EQ(static_cast<int>(all.size()), size_);
  for (int r = 0; r < size_; ++r) EXPECT_EQ(all[static_cast<std::size_t>(r)], pattern(r, static_cast<std::size_t>(r) * 10));
}

TEST_F(CommunicatorOnRanks, AllGatherGivesEveryRankTheSame) {
  const std::vector<Bytes> all = world_.all_gather(pattern(rank_, 5 + static_cast<std::size_t>(rank_)));
  ASSERT_EQ(static_cast<int>(all.size()), size_);
  for (int r = 0; r < size_; ++r) EXPECT_EQ(all[static_cast<std::size_t>(r)], pattern(r, 5 + static_cast<std::size_t>(r)));
}

TEST_F(CommunicatorOnRanks, ARingOfRequestsCarriesLargeBuffers) {
  constexpr std::size_t kSize = 3'000'000;  // beyond every eager limit
  Request incoming = world_.irecv(kSize, previous_, 5);
  Request outgoing = world_.isend(pattern(rank_, kSize), next_, 5);
  outgoing.wait();
  incoming.wait();
  EXPECT_EQ(incoming.envelope().source, previous_);
  EXPECT_EQ(incoming.take(), pattern(previous_, kSize));
}

TEST_F(CommunicatorOnRanks, AMessageOfUnknownSizeArrivesWhole) {
  Request outgoing = world_.isend(pattern(rank_, 1000 + static_cast<std::size_t>(rank_)), next_, 6);
  EXPECT_EQ(world_.receive_any_size(previous_, 6), pattern(previous_, 1000 + static_cast<std::size_t>(previous_)));
  outgoing.wait();
}

TEST_F(CommunicatorOnRanks, AMessageOfTheWrongSizeIsAnError) {
  Request outgoing = world_.isend(pattern(rank_, 8), next_, 7);
  Bytes buffer(16);
  try {
    world_.receive(buffer, previous_, 7);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("got 8 bytes, expected 16 bytes"));
  }
  outgoing.wait();
}

TEST_F(CommunicatorOnRanks, MpiErrorsBecomeExceptionsWithMpisText) {
  try {
    world_.send(pattern(0, 4), size_ + 7, 1);
    ADD_FAILURE() << "sent to a rank that does not exist";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
    EXPECT_THAT(error.what(), HasSubstr("send failed: MPI_ERR_RANK"));
  }
}

TEST_F(CommunicatorOnRanks, ProbeGivesUpAfterItsTimeout) {
  EXPECT_FALSE(world_.probe(Communicator::kAnySource, 9, std::chrono::milliseconds(2)).has_value());
  world_.barrier();
  Request outgoing = world_.isend(pattern(rank_, 12), next_, 9);
  const auto found = world_.probe(Communicator::kAnySource, Communicator::kAnyTag, std::chrono::seconds(20));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->source, previous_);
  EXPECT_EQ(found->tag, 9);
  EXPECT_EQ(found->bytes, 12u);
  world_.receive_any_size(previous_, 9);
  outgoing.wait();
}

TEST_F(CommunicatorOnRanks, AGroupIsMadeByItsMembersAlone) {
  if (rank_ == 0 && size_ > 1) {  // takes no part
    EXPECT_EQ(world_.size(), size_);
    return;
  }
  std::vector<int> members;
  for (int r = size_ - 1; r >= (size_ > 1 ? 1 : 0); --r) members.push_back(r);
  const Communicator group = world_.create_group(members, 77);
  EXPECT_EQ(group.size(), static_cast<int>(members.size()));
  EXPECT_EQ(members[static_cast<std::size_t>(group.rank())], rank_);
  EXPECT_EQ(group.all_reduce(std::int64_t{rank_}, Reduction::sum), std::accumulate(members.begin(), members.end(), 0));
}

// Open MPI would give the number of a communicator that is freed to the next one, and with it what comes late.
TEST_F(CommunicatorOnRanks, WhatIsSentToARankThatLeftAGroupByAnExceptionIsNotReceivedInTheNext) {
  std::vector<int> everybody(static_cast<std::size_t>(size_));
  std::iota(everybody.begin(), everybody.end(), 0);
  const int last = size_ - 1;
  const auto left_by_the_last = [&] {
    const Communicator group = world_.create_group(everybody, 78);
    if (rank_ == last) throw std::runtime_error("left");
    Bytes news(1);
    if (rank_ == 0) world_.receive(news, last, 1);
    if (rank_ == 0) group.send(Bytes(10), last, 2);
  };
  if (size_ == 1) GTEST_SKIP() << "needs somebody who stays";
  try {
    left_by_the_last();
  } catch (const std::runtime_error&) {
    world_.send(Bytes(1), 0, 1);
  }
  if (rank_ == 0) world_.send(Bytes(1), last, 3);  // behind the late message
  if (rank_ == last) world_.receive_any_size(0, 3);
  const Communicator next = world_.create_group(everybody, 79);
  EXPECT_FALSE(next.probe(Communicator::kAnySource, Communicator::kAnyTag, std::chrono::milliseconds(20)).has_value());
  next.barrier();
}

TEST_F(CommunicatorOnRanks, DisjointGroupsAreMadeAtTheSameTimeWhileAnotherThreadCommunicates) {
  const Communicator control = world_.duplicate();
  std::atomic<bool> end{false};
  std::thread talker([&] {
    for (int i = 0; !end; ++i) {
      Request request = control.isend(pattern(i, 64), rank_, 3);
      EXPECT_EQ(control.receive_any_size(rank_, 3), pattern(i, 64));
      request.wait();
    }
  });
  for (int round = 0; round < 50; ++round) {
    std::vector<int> members;
    for (int r = 0; r < size_; ++r) {
      if (r % 2 == rank_ % 2) members.push_back(r);
    }
    const Communicator group = world_.create_group(members, round);
    EXPECT_EQ(group.all_reduce(std::int64_t{1}, Reduction::sum), static_cast<std::int64_t>(members.size()));
  }
  end = true;
  talker.join();
}

TEST_F(CommunicatorOnRanks, SelfIsAWorldOfOneRank) {
  const Communicator self = Communicator::self();
  EXPECT_EQ(self.rank(), 0);
  EXPECT_EQ(self.size(), 1);
  EXPECT_EQ(self.all_reduce(2.5, Reduction::sum), 2.5);
  EXPECT_THAT(self.all_gather(pattern(1, 3)), ElementsAre(pattern(1, 3)));
  self.barrier();
}

TEST_F(CommunicatorOnRanks, HostLayoutPutsRanksOfOneMachineTogether) {
  const HostLayout layout = world_.host_layout();
  ASSERT_EQ(layout.hosts(), 1);  // mpirun --oversubscribe without a host file
  EXPECT_EQ(layout.index_on_host(rank_), rank_);
  EXPECT_EQ(layout.count_on_host(rank_), size_);
}

TEST_F(CommunicatorOnRanks, TrafficCountsWhatWasSentAndReceived) {
  Request outgoing = world_.isend(pattern(rank_, 100), next_, 11);
  Bytes buffer(100);
  world_.receive(buffer, previous_, 11);
  outgoing.wait();
  EXPECT_EQ(world_.traffic().bytes_sent, 100);
  EXPECT_EQ(world_.traffic().bytes_received, 100);
}

TEST_F(CommunicatorOnRanks, AWaitEndsWithCancelledWhenTheTokenIsReleased) {
  auto token = std::make_shared<CancelToken>();
  Communicator job = world_.duplicate();
  job.cancel_by(token);
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    token->stop();
    world_.barrier();  // every rank has stopped
    token->release();
  });
  std::vector<double> values(1000, 1.0);
  Bytes buffer(10);
  if (rank_ == 0) {
    EXPECT_THROW(job.receive(buffer, 0, 1), Cancelled);  // a message that nobody sends
  } else {
    EXPECT_THROW(job.all_reduce(std::span<double>(values), Reduction::sum), Cancelled);  // rank 0 never comes
  }
  canceller.join();
  EXPECT_THROW(job.barrier(), Cancelled);
}

TEST_F(CommunicatorOnRanks, ARequestDestroyedUnfinishedHarmsNobody) {
  {
    const Communicator job = world_.duplicate();
    Request never = job.irecv(1000, previous_, 1);
    Request unread = job.isend(pattern(1, 3'000'000), next_, 2);
    EXPECT_FALSE(never.test());
  }
  world_.barrier();
  EXPECT_EQ(world_.all_reduce(std::int64_t{1}, Reduction::sum), size_);
}

// CPU time is the kernel's account of what this thread ran, so load from elsewhere does not add to it.
TEST_F(CommunicatorOnRanks, AWaitingRankSleeps) {
  if (size_ == 1) return;
  const auto cpu_ns = [] {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
  };
  world_.barrier();
  const std::int64_t cpu = cpu_ns();
  const std::int64_t start = now_ns();
  if (rank_ == 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
  world_.barrier();
  const double share = static_cast<double>(cpu_ns() - cpu) / static_cast<double>(now_ns() - start);
  RecordProperty("idle_cpu_percent", std::to_string(100.0 * share));
  std::fprintf(stderr, "rank %d: %.2f %% of a core while it waited\n", rank_, 100.0 * share);
  EXPECT_LT(share, 0.5);  // polling would be 1
}

}  // namespace
}  // namespace edgelab::parallel

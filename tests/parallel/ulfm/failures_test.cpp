#include "parallel/failures.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <numeric>
#include <random>
#include <thread>

#include "core/clock.hpp"
#include "parallel/communicator.hpp"
#include "parallel/environment.hpp"

// What survivors see of a rank that dies, under `mpirun --with-ft ulfm` of Open MPI 5. In each test the last rank dies, so each
// is a run of mpirun of its own (tests/cluster/ulfm_test.py). Every survivor checks what it sees, and ends by leave().
namespace edgelab::parallel {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class SurvivorsOnRanks : public testing::Test {
 protected:
  // Survivors leave together: who leaves is dead to the others.
  void TearDown() override {
    for (int rank = 1; rank < victim_ && rank_ == 0; ++rank) world_.receive_any_size(rank, kFarewell);
    for (int rank = 1; rank < victim_ && rank_ == 0; ++rank) world_.send({}, rank, kFarewell);
    if (rank_ == 0 || dies()) return;
    world_.send({}, 0, kFarewell);
    world_.receive_any_size(0, kFarewell);
  }

  bool dies() const { return rank_ == victim_; }
  [[noreturn]] static void die() {
    raise(SIGKILL);
    std::abort();
  }
  std::vector<int> others() const {
    std::vector<int> ranks(static_cast<std::size_t>(victim_));
    std::iota(ranks.begin(), ranks.end(), 0);
    return ranks;
  }
  std::vector<int> everybody() const {
    std::vector<int> ranks = others();
    ranks.push_back(victim_);
    return ranks;
  }
  void wait_for_the_news() const {
    while (world_.failed().empty()) {
      EXPECT_FALSE(world_.try_receive(0, kNeverSent).has_value());  // MPI looks up only when it is called
      std::this_thread::sleep_for(1ms);
    }
  }
  static constexpr int kFarewell = 98, kNeverSent = 99;

  Communicator world_ = Communicator::world();
  const int rank_ = world_.rank();
  const int victim_ = world_.size() - 1;
};

TEST_F(SurvivorsOnRanks, KnowThatTheyMaySurvive) {
  EXPECT_TRUE(mpi_can_survive_failures());
  EXPECT_TRUE(survives_failures());
  EXPECT_TRUE(world_.failed().empty());
}

TEST_F(SurvivorsOnRanks, ThrowPeerFailedFromACollective) {
  const Communicator job = world_.create_group(everybody(), 1);
  std::vector<double> values(100'000, 1.0);
  try {
    for (int round = 0; round < 100'000; ++round) {
      if (dies() && round == 20) die();
      job.all_reduce(std::span<double>(values), Reduction::max);
    }
    ADD_FAILURE() << "went on without the dead";
  } catch (const PeerFailed& failure) {
    EXPECT_THAT(failure.ranks(), ElementsAre(victim_));
    EXPECT_EQ(failure.what(), "rank " + std::to_string(victim_) + " of the communicator died");
  }
}

TEST_F(SurvivorsOnRanks, ThrowPeerFailedFromMessagesToAndFromTheDead) {
  world_.barrier();
  if (dies()) {
    std::this_thread::sleep_for(100ms);
    die();
  }
  Request large = world_.isend(Bytes(8'000'000), victim_, 1);  // waits for its receiver
  Bytes buffer(1);
  EXPECT_THROW(world_.receive(buffer, victim_, 2), PeerFailed);
  EXPECT_THROW(large.wait(), PeerFailed);
  EXPECT_THROW(world_.receive(buffer, victim_, 2), PeerFailed);  // again
}

TEST_F(SurvivorsOnRanks, AreToldOnceByAReceiveFromAnySourceAndThenGoOnReceiving) {
  world_.barrier();
  if (dies()) die();
  if (rank_ != 0) {
    wait_for_the_news();
    return world_.send(Bytes(1000, std::byte{7}), 0, 3);
  }
  EXPECT_THROW(world_.receive_any_size(Communicator::kAnySource, kNeverSent), PeerFailed);
  EXPECT_THAT(world_.failed(), ElementsAre(victim_));
  for (int message = 1; message < victim_; ++message) {
    EXPECT_EQ(world_.receive_any_size(Communicator::kAnySource, 3), Bytes(1000, std::byte{7}));
  }
}

TEST_F(SurvivorsOnRanks, DoNotWaitInAGroupForTheDead) {
  world_.barrier();
  if (dies()) {
    std::this_thread::sleep_for(50ms);
    die();
  }
  EXPECT_THROW(world_.create_group(everybody(), 4), std::exception);
}

TEST_F(SurvivorsOnRanks, CanBeCalledBackFromAGroupThatALivingMemberNeverJoins) {
  const auto token = std::make_shared<CancelToken>();
  if (rank_ != victim_) {
    std::thread canceller([&] {
      std::this_thread::sleep_for(100ms);
      token->stop();
      token->release();
    });
    EXPECT_THROW(world_.create_group(everybody(), 5, token), Cancelled);
    canceller.join();
  }
  world_.barrier();
}

TEST_F(SurvivorsOnRanks, MakeGroupsOfACommunicatorInWhichARankIsDead) {
  world_.barrier();
  if (dies()) die();
  wait_for_the_news();
  for (int round = 0; round < 200; ++round) {
    const Communicator group = world_.create_group(others(), round);
    ASSERT_EQ(group.all_reduce(std::int64_t{1}, Reduction::sum), victim_);
  }
}

// Each hears of it at another moment: some before, some after they have begun to make the group.
TEST_F(SurvivorsOnRanks, MakeGroupsUndisturbedByTheDeathOfARankThatIsNoMember) {
  world_.barrier();
  if (dies()) {
    std::this_thread::sleep_for(100ms);
    die();
  }
  for (int round = 0; round < 1000; ++round) {
    const Communicator group = world_.create_group(others(), round);
    ASSERT_EQ(group.all_reduce(std::int64_t{1}, Reduction::sum), victim_);
  }
  EXPECT_THAT(world_.failed(), ElementsAre(victim_)) << "it died too late";
}

// As a controller does it: all are told to stop, and once all have stopped, all are released; each hears of it by its own way and at its
// own time, before, while and after the group is made.
TEST_F(SurvivorsOnRanks, AllMakeAGroupOrNoneDoesWheneverItIsCalledOff) {
  constexpr int kStopped = 1, kRelease = 2;
  const Communicator control = world_.duplicate();
  std::mt19937 random(static_cast<unsigned>(rank_));
  std::int64_t made = 0;
  for (int round = 0; round < 300; ++round) {
    const auto token = std::make_shared<CancelToken>();
    const std::chrono::microseconds when(random() % 1000);
    std::thread canceller([&] {
      std::this_thread::sleep_for(when);
      token->stop();
      if (rank_ != 0) control.send({}, 0, kStopped);
      for (int rank = 1; rank <= victim_ && rank_ == 0; ++rank) control.receive_any_size(rank, kStopped);
      for (int rank = 1; rank <= victim_ && rank_ == 0; ++rank) control.send({}, rank, kRelease);
      if (rank_ != 0) control.receive_any_size(0, kRelease);
      token->release();
    });
    std::int64_t mine = 1;
    try {
      const Communicator group = world_.create_group(everybody(), round, token);
    } catch (const Cancelled&) {
      mine = 0;
    }
    canceller.join();
    const std::int64_t all = world_.all_reduce(mine, Reduction::sum);
    ASSERT_TRUE(all == 0 || all == world_.size()) << all << " of " << world_.size() << " made a group";
    made += mine;
  }
  EXPECT_GT(made, 0);
  EXPECT_LT(made, 300);
}

}  // namespace
}  // namespace edgelab::parallel

int main(int argc, char** argv) {
  const edgelab::parallel::Environment environment;
  testing::InitGoogleTest(&argc, argv);
  edgelab::parallel::Environment::leave(RUN_ALL_TESTS());
}

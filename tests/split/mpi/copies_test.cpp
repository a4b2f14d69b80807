#include <gtest/gtest.h>

#include "core/error.hpp"
#include "split_job.hpp"

// Data-parallel copies of a split model: each has a shard of the samples, and together they answer as one rank does.
namespace edgelab::tasks {
namespace {

using example::expect_as_on_one_rank;
using example::small_inference;

parallel::Communicator world() { return parallel::Communicator::world().duplicate(); }

// Of two ranks each; zero copies where the world has no even number of ranks, or one pair only.
int copies_in(const parallel::Communicator& all) { return all.size() % 2 == 0 && all.size() > 2 ? all.size() / 2 : 0; }

class SplitCopies : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (copies_in(all_) == 0) GTEST_SKIP() << "two copies of two ranks need four ranks at least";
    spec_ = small_inference(GetParam());
    spec_.parallel.data = copies_in(all_);
  }

  const parallel::Communicator all_ = world();
  JobSpec spec_;
};

TEST_P(SplitCopies, OfPipelinesAnswerAsOneRankDoes) {
  spec_.parallel.pipeline = 2;
  spec_.measure = {1, 2};
  expect_as_on_one_rank(spec_, all_);
  spec_.task = Task::evaluate;
  expect_as_on_one_rank(spec_, all_);
}

TEST_P(SplitCopies, OfSharedLayersAnswerAsOneRankDoes) {
  spec_.parallel.tensor = 2;
  expect_as_on_one_rank(spec_, all_);
  spec_.parallel.tensor = 1;
  spec_.parallel.sequence = 2;
  expect_as_on_one_rank(spec_, all_);
}

// 11 samples over 2, 3 or 4 copies: shards that differ by one, in calls of 4 that end with fewer.
TEST_P(SplitCopies, AnswerInBatchesThatDontDivide) {
  spec_.parallel.pipeline = 2;
  spec_.batch = 4;
  spec_.parallel.microbatch = 3;
  expect_as_on_one_rank(spec_, all_);
  spec_.task = Task::evaluate;
  expect_as_on_one_rank(spec_, all_);
}

TEST_P(SplitCopies, TellWhichCopyARankBelongsToAndWhatWasPredictedOfAll) {
  spec_.parallel.pipeline = 2;
  spec_.ranks = all_.size();
  const results::JobRecord record = example::run(spec_, all_);
  if (all_.rank() != 0) return;
  const std::string copies = std::to_string(copies_in(all_));
  ASSERT_EQ(record.ranks.size(), static_cast<std::size_t>(all_.size()));
  EXPECT_EQ(record.ranks.back().role.find("copy " + copies + " of " + copies + ", stage 2 of 2: "), 0u) << record.ranks.back().role;
  EXPECT_EQ(record.ranks.back().rank, all_.size() - 1);
  EXPECT_EQ(record.forecast.layout, "data over " + copies + " × pipeline of 2");
  EXPECT_EQ(record.summary.samples, 11);
}

TEST_P(SplitCopies, AreRefusedWhereThereAreFewerSamples) {
  spec_.parallel.pipeline = 2;
  spec_.data.limit = 1;
  spec_.ranks = all_.size();
  EXPECT_THROW(example::run(spec_, all_), Error);
}

INSTANTIATE_TEST_SUITE_P(Models, SplitCopies, testing::Values("mobilenet_v2", "vit_tiny_patch16_224"));

}  // namespace
}  // namespace edgelab::tasks

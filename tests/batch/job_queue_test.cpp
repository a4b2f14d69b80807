#include "batch/job_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "core/random.hpp"

namespace edgelab::batch {
namespace {

TEST(JobQueue, GoesByPriorityThenByTheOrderOfTheList) {
  JobQueue queue;
  queue.append({{0, 1, 1}, {0, 5, 1}, {0, 5, 1}});
  EXPECT_TRUE(queue.goes_before(1, 2));
  EXPECT_TRUE(queue.goes_before(2, 0));
  EXPECT_EQ(queue.first(0, {1}), std::nullopt);  // none is ready
  for (std::size_t job = 0; job < 3; ++job) queue.put(job);
  EXPECT_EQ(queue.first(0, {1}), 1u);
  queue.append({{0, 9, 1}});
  queue.put(3);
  EXPECT_EQ(queue.first(0, {1}), 3u);
  queue.remove(3);
  queue.remove(1);
  EXPECT_EQ(queue.first(0, {1}), 2u);
  EXPECT_EQ(queue.first(0, {0}), std::nullopt);
}

// The tree against a walk over the whole list.
TEST(JobQueue, FindsTheFirstJobThatFits) {
  CounterRandom random(3);
  JobQueue queue;
  std::vector<JobQueue::Asks> asks;
  std::vector<bool> ready;
  for (int step = 0; step < 4000; ++step) {
    if (step % 100 == 0) {
      std::vector<JobQueue::Asks> more(random.below(12));
      for (JobQueue::Asks& job : more) {
        const bool bounded = random.below(2) == 0;
        job = {random.below(2), static_cast<int>(random.below(3)), 1 + static_cast<int>(random.below(9)),
               bounded ? static_cast<std::int64_t>(random.below(50)) : JobQueue::kNoBound};
      }
      queue.append(more);
      asks.insert(asks.end(), more.begin(), more.end());
      ready.resize(asks.size(), false);
    }
    if (asks.empty()) continue;
    const bool many = step % 5 == 0;
    if (many) queue.defer();
    for (int change = 0; change < (many ? 6 : 1); ++change) {
      const std::size_t job = random.below(asks.size());
      ready[job] = !ready[job];
      ready[job] ? queue.put(job) : queue.remove(job);
    }
    if (many) queue.refresh();
    const std::size_t zone = random.below(queue.lanes());
    const JobQueue::Fit fit{static_cast<int>(random.below(10)), static_cast<int>(random.below(6)),
                            static_cast<std::int64_t>(random.below(60)) - 5};
    std::optional<std::size_t> expected;
    for (std::size_t other = 0; other < asks.size(); ++other) {
      const bool fits = ready[other] && asks[other].zone == zone && asks[other].ranks <= fit.ranks &&
                        (asks[other].bound_ns <= fit.bound_ns || asks[other].ranks <= fit.harmless);
      if (fits && (!expected || asks[other].priority > asks[*expected].priority)) expected = other;
    }
    ASSERT_EQ(queue.first(zone, fit), expected) << "step " << step;
  }
  EXPECT_GT(asks.size(), 100u);
}

TEST(JobQueue, LooksAtNoMoreThanTheWayDownTheTree) {
  JobQueue queue;
  std::vector<JobQueue::Asks> asks;
  for (int job = 0; job < 10'000; ++job) asks.push_back({0, 0, job < 9'999 ? 2 : 1});
  queue.append(asks);
  for (std::size_t job = 0; job < asks.size(); ++job) queue.put(job);
  const std::int64_t before = queue.work();
  EXPECT_EQ(queue.first(0, {1}), 9'999u);
  EXPECT_LE(queue.work() - before, 2 * 15);
}

TEST(JobQueue, GivesUpASearchThatWouldLookAtEveryJob) {
  JobQueue queue;
  std::vector<JobQueue::Asks> asks;
  // Next to one another a narrow job that is too long and a short one that is too wide: no node above them tells.
  for (int job = 0; job < 20'000; ++job)
    asks.push_back(job % 2 == 0 ? JobQueue::Asks{0, 0, 1, 100} : JobQueue::Asks{0, 0, 9, 1});
  asks.push_back({0, 0, 1, 1});
  queue.append(asks);
  for (std::size_t job = 0; job < asks.size(); ++job) queue.put(job);
  const std::int64_t before = queue.work();
  EXPECT_EQ(queue.first(0, {1, 0, 1}), std::nullopt);
  EXPECT_EQ(queue.work() - before, JobQueue::kMaxNodes);
}

}  // namespace
}  // namespace edgelab::batch

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "batch/job_file/needs.hpp"

namespace edgelab::batch {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NeedsGraph, OrdersJobsAfterWhatTheyNeedAndElseAsInTheFile) {
  const NeedsGraph graph(std::vector<std::vector<std::size_t>>{{3}, {}, {0}, {}});
  EXPECT_THAT(graph.order(), ElementsAre(3, 0, 1, 2));
  EXPECT_THAT(graph.cycles(), IsEmpty());
  EXPECT_THAT(graph.dependants(3), ElementsAre(0));
  EXPECT_THAT(graph.all_dependants(3), ElementsAre(0, 2));
  EXPECT_THAT(graph.with_needs({2}), ElementsAre(true, false, true, true));
}

TEST(NeedsGraph, NamesOneShortestCycleForEachKnot) {
  const NeedsGraph graph(std::vector<std::vector<std::size_t>>{{1}, {2, 0}, {0}, {3}, {0}});
  EXPECT_THAT(graph.cycles(), ElementsAre(ElementsAre(0, 1), ElementsAre(3)));
  EXPECT_THAT(graph.order(), IsEmpty());
}

TEST(NeedsGraph, TakesAChainAsLongAsABatchMayBe) {
  std::vector<std::vector<std::size_t>> needs(20'000);
  for (std::size_t job = 0; job + 1 < needs.size(); ++job) needs[job].push_back(job + 1);
  const NeedsGraph graph(std::move(needs));
  EXPECT_EQ(graph.order().front(), 19'999u);
  EXPECT_EQ(graph.all_dependants(19'999).size(), 19'999u);
}

TEST(NeedsGraph, IsMadeFromJobsAndPassesOverIdsThatAreNotAmongThem) {
  std::vector<tasks::JobSpec> jobs(2);
  jobs[0].id = "a";
  jobs[1].id = "b";
  jobs[1].needs = {"a", "left out by --only"};
  EXPECT_THAT(NeedsGraph(jobs).needs(1), ElementsAre(0));
}

}  // namespace
}  // namespace edgelab::batch

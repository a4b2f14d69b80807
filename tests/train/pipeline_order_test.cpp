#include "train/pipeline_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace edgelab::train {
namespace {

TEST(PipelineOrder, OfOneStageIsPartByPart) {
  EXPECT_EQ(one_forward_one_backward(0, 1, 2), (std::vector<PipelineWork>{{false, 0}, {true, 0}, {false, 1}, {true, 1}}));
}

TEST(PipelineOrder, OfTheFirstOfThreeBeginsWithTwoAhead) {
  EXPECT_EQ(one_forward_one_backward(0, 3, 4), (std::vector<PipelineWork>{{false, 0}, {false, 1}, {false, 2}, {true, 0}, {false, 3}, {true, 1}, {true, 2}, {true, 3}}));
}

// Run side by side, each taking its next piece of work once what it needs of its neighbours is there: all come to the end, whatever
// the counts, and no stage keeps more micro-batches than it says.
TEST(PipelineOrder, NobodyWaitsForEverAndNobodyKeepsMoreThanItSays) {
  for (int stages = 1; stages <= 6; ++stages) {
    for (std::int64_t parts = 1; parts <= 9; ++parts) {
      std::vector<std::vector<PipelineWork>> orders;
      for (int stage = 0; stage < stages; ++stage) orders.push_back(one_forward_one_backward(stage, stages, parts));
      std::vector<std::size_t> at(orders.size());
      std::vector<std::set<std::int64_t>> forward(orders.size()), backward(orders.size());
      for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t s = 0; s < orders.size(); ++s) {
          if (at[s] == orders[s].size()) continue;
          const auto [is_backward, part] = orders[s][at[s]];
          const bool ready = is_backward ? forward[s].contains(part) && (s + 1 == orders.size() || backward[s + 1].contains(part)) : s == 0 || forward[s - 1].contains(part);
          if (!ready) continue;
          EXPECT_TRUE((is_backward ? backward : forward)[s].insert(part).second);
          EXPECT_LE(forward[s].size() - backward[s].size(), most_between_passes(static_cast<int>(s), stages, parts));
          ++at[s];
          moved = true;
        }
      }
      for (std::size_t s = 0; s < orders.size(); ++s) EXPECT_EQ(backward[s].size(), static_cast<std::size_t>(parts)) << "stage " << s << " of " << stages;
    }
  }
}

}  // namespace
}  // namespace edgelab::train

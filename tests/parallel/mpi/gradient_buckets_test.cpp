#include "parallel/gradient_buckets.hpp"

#include <gtest/gtest.h>

namespace edgelab::parallel {
namespace {

float value_of(std::size_t gradient, std::size_t element, int rank, int step) {
  return static_cast<float>(gradient * 100 + element) + static_cast<float>(rank) * 0.5f + static_cast<float>(step) * 1000.0f;
}

// Buckets of 16 floats: some hold several gradients, one gradient is larger than a bucket, one is empty.
TEST(GradientBuckets, SumsAreEveryRanksWhateverTheOrder) {
  const Communicator world = Communicator::world().duplicate();
  const std::vector<std::size_t> elements = {40, 3, 0, 9, 8, 1};
  GradientBuckets buckets(world, elements, 16 * sizeof(float));
  for (int step = 0; step < 3; ++step) {
    for (std::size_t i = 0; i < elements.size(); ++i) {
      // Mostly last to first, but on each rank and in each step another one comes early.
      const std::size_t early = (static_cast<std::size_t>(world.rank()) + static_cast<std::size_t>(step)) % elements.size();
      const std::size_t gradient = i == 0 ? early : (elements.size() - i > early ? elements.size() - i : elements.size() - i - 1);
      std::vector<float> mine(elements[gradient]);
      for (std::size_t e = 0; e < mine.size(); ++e) mine[e] = value_of(gradient, e, world.rank(), step);
      buckets.add(gradient, mine);
    }
    buckets.finish();
    for (std::size_t gradient = 0; gradient < elements.size(); ++gradient) {
      const auto sums = buckets.sum(gradient);
      ASSERT_EQ(sums.size(), elements[gradient]);
      for (std::size_t e = 0; e < sums.size(); ++e) {
        float expected = 0;
        for (int rank = 0; rank < world.size(); ++rank) expected += value_of(gradient, e, rank, step);
        ASSERT_FLOAT_EQ(sums[e], expected) << "gradient " << gradient << ", element " << e << ", step " << step;
      }
    }
  }
}

}  // namespace
}  // namespace edgelab::parallel

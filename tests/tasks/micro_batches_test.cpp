#include "tasks/split/micro_batches.hpp"

#include <gtest/gtest.h>

namespace edgelab::tasks {
namespace {

// Every sample once, in order, whatever the sizes.
TEST(MicroBatches, DealOutEverySampleOnceInOrder) {
  for (const std::int64_t samples : {1, 5, 12, 13}) {
    for (const int batch : {1, 2, 5, 12, 40}) {
      for (const int microbatch : {1, 2, 3, 12, 64}) {
        const MicroBatches batches(samples, batch, microbatch);
        EXPECT_LE(batches.size(), batch);
        std::int64_t next = 0, ended = 0;
        for (std::int64_t i = 0; i < batches.count(); ++i) {
          EXPECT_EQ(batches.begins_call(i), batches.first_in_call(i) == 0);
          EXPECT_EQ(batches.call_of(i) * batch + batches.first_in_call(i), next);
          EXPECT_GE(batches.samples_of(i), 1) << "a micro-batch without a sample";
          EXPECT_LE(batches.samples_of(i), batches.size());
          next += batches.samples_of(i);
          if (batches.ends_call(i)) ++ended;
        }
        EXPECT_EQ(next, samples);
        EXPECT_EQ(ended, batches.calls());
        EXPECT_EQ(batches.before_call(batches.calls()), batches.count());
      }
    }
  }
}

}  // namespace
}  // namespace edgelab::tasks

#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "tasks/outcome.hpp"
#include "tasks/training_job.hpp"

// Training on several ranks beside the same on one.
namespace edgelab::tasks::example {

// The furthest that a weight lies from the other's, over the norm of how far all have come: sums of other shapes round otherwise.
inline double distance(const Outcome& a, const Outcome& b) {
  double apart = 0, size = 0;
  const models::Safetensors first = opened(a.weights), second = opened(b.weights);
  for (const models::NamedTensor& tensor : first.tensors()) {
    const auto x = tensor.tensor.as<float>(), y = second.find(tensor.name)->as<float>();
    for (std::size_t i = 0; i < x.size(); ++i) {
      apart += std::pow(static_cast<double>(x[i]) - y[i], 2);
      size += std::pow(static_cast<double>(x[i]), 2);
    }
  }
  return std::sqrt(apart / size);
}

// The job on all ranks of `world` beside the job `alone` on one.
inline void expect_the_same(const JobSpec& spec, const JobSpec& alone_spec, const parallel::Communicator& world, int threads = 1) {
  const Outcome together = run(spec, world, threads);
  if (world.rank() != 0) return;
  const Outcome alone = run(alone_spec, parallel::Communicator::self());
  ASSERT_EQ(together.record.training.size(), alone.record.training.size());
  for (std::size_t i = 0; i < alone.record.training.size(); ++i) {
    EXPECT_NEAR(together.record.training[i].loss, alone.record.training[i].loss, 1e-4) << "epoch " << i;
  }
  EXPECT_LT(distance(together, alone), 1e-4);
}

inline void expect_the_same(const JobSpec& spec, const parallel::Communicator& world, int threads = 1) {
  JobSpec alone = spec;
  alone.ranks = 1;
  expect_the_same(spec, alone, world, threads);
}

}  // namespace edgelab::tasks::example

#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <memory>
#include <set>
#include <thread>

#include "core/cancel.hpp"
#include "tasks/task.hpp"

// Jobs whose model is split over all ranks of the world, beside the same job on one rank.
namespace edgelab::tasks::example {

inline JobSpec small_inference(const std::string& arch) {
  JobSpec spec;
  spec.id = "job";
  spec.task = Task::infer;
  spec.data.dataset = "shapes10";
  spec.data.limit = 11;
  spec.model.arch = arch;
  if (arch == "mobilenet_v2") {
    spec.model.width_mult = 0.25;
    spec.model.input_size = 64;
  } else {
    spec.model.img_size = 32;
    spec.model.patch_size = 8;
    spec.model.depth = 5;
    spec.model.embed_dim = 48;
    spec.model.num_heads = 6;
  }
  spec.measure = {0, 1};
  spec.seed = 3;
  return spec;
}

inline constexpr const char* kArchs[] = {"mobilenet_v2", "vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "deit3_small_patch16_224"};

inline results::JobRecord run(const JobSpec& spec, const parallel::Communicator& communicator) {
  TaskContext context{communicator, 1, {}, {}, true, {}, {}, {}};
  return run_task(spec, context);
}

// The largest distance over the standard deviation of the serial run's logits, as the expectation outputs_match has it.
inline double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double mean = 0, square = 0, most = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    mean += b[i];
    square += static_cast<double>(b[i]) * b[i];
    most = std::max(most, static_cast<double>(std::fabs(a[i] - b[i])));
  }
  const auto n = static_cast<double>(b.size());
  return most / std::sqrt(square / n - mean / n * (mean / n));
}

// Runs the job on the world and, on rank 0, on one rank, and compares what they answer. Collective.
inline void expect_as_on_one_rank(JobSpec spec, const parallel::Communicator& world, double tolerance = 1e-4) {
  spec.ranks = world.size();
  const results::JobRecord together = run(spec, world);
  if (world.rank() != 0) return;
  JobSpec serial = spec;
  serial.ranks = 1;
  serial.parallel = {};
  const results::JobRecord alone = run(serial, parallel::Communicator::self());
  ASSERT_EQ(together.logits.size(), alone.logits.size());
  EXPECT_LE(distance(together.logits, alone.logits), tolerance) << spec.model.arch;
  EXPECT_EQ(together.labels, alone.labels);
  if (spec.parallel.data == 1 || spec.batch == 1) {  // else each copy may have a last call that is not full
    EXPECT_EQ(together.calls, alone.calls);
  }
  EXPECT_EQ(together.latency_ns.size(), static_cast<std::size_t>(together.calls * together.repeats));
  if (tolerance <= 1e-4) {
    EXPECT_EQ(together.class_names, alone.class_names);
    const auto samples = [](const results::JobRecord& record) {
      std::set<std::int64_t> numbers;  // their order depends on last digits
      for (const results::MistakeRecord& mistake : record.mistakes) numbers.insert(mistake.sample);
      return numbers;
    };
    EXPECT_EQ(samples(together), samples(alone));
  }
  EXPECT_EQ(together.model.parameters, alone.model.parameters);
  EXPECT_EQ(together.ranks.size(), static_cast<std::size_t>(world.size()));
  for (const std::int64_t time : together.latency_ns) EXPECT_GT(time, 0);
  EXPECT_GT(*together.summary.throughput_samples_per_second, 0.0);
}

// Runs the job on the world for longer than anybody waits, and cancels it as the batch system does: every member is told to stop,
// then released. Collective.
inline void expect_cancelled(JobSpec spec, const parallel::Communicator& world) {
  const auto token = std::make_shared<CancelToken>();
  parallel::Communicator job = world.duplicate();
  job.cancel_by(token);
  spec.ranks = world.size();
  spec.measure.repeats = 1'000'000;
  TaskContext context{job, 1, {}, [token] { return token->stopping(); }, false, {}, {}, {}};
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    token->stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // longer than the others' clocks are apart
    token->release();
  });
  EXPECT_THROW(run_task(spec, context), Cancelled);
  canceller.join();
  world.barrier();
}

}  // namespace edgelab::tasks::example

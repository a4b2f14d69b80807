// A pipeline in one process, a thread a stage: the same steps as of the whole model.
#include "train/training_stage.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>

#include "graph/split/blocks.hpp"
#include "learning_together.hpp"

namespace edgelab::train {
namespace {

using namespace testing;
using Bytes = std::vector<std::byte>;

class Queue {
 public:
  void put(Bytes bytes) {
    const std::lock_guard lock(mutex_);
    messages_.push(std::move(bytes));
    came_.notify_one();
  }
  Bytes take() {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [&] { return !messages_.empty(); });
    Bytes bytes = std::move(messages_.front());
    messages_.pop();
    return bytes;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::queue<Bytes> messages_;
};

struct Between {
  Queue activations, gradients;
};

class QueueLink final : public StageLink {
 public:
  QueueLink(Between* before, Between* behind) : before_(before), behind_(behind) {}
  void receive_activations(std::span<const Tensor> into) override { receive(before_->activations, into); }
  void receive_gradients(std::span<const Tensor> into) override { receive(behind_->gradients, into); }
  void send_activations(std::span<const Tensor> values) override { send(behind_->activations, values); }
  void send_gradients(std::span<const Tensor> values) override { send(before_->gradients, values); }
  void progress() noexcept override {}
  void finish() override {}

 private:
  static void send(Queue& queue, std::span<const Tensor> values) {
    for (const Tensor& tensor : values) queue.put(Bytes(tensor.data(), tensor.data() + tensor.bytes()));
  }
  static void receive(Queue& queue, std::span<const Tensor> into) {
    for (Tensor tensor : into) {
      const Bytes bytes = queue.take();
      ASSERT_EQ(bytes.size(), tensor.bytes());
      std::memcpy(tensor.data(), bytes.data(), bytes.size());
    }
  }
  Between *before_, *behind_;
};

// The last stage's losses; the weights of all.
Learnt in_stages(const Case& item, const std::vector<int>& partition) {
  const graph::Graph model = drawn(item);
  const std::vector<std::string> parameters = item.trainable(model);
  const std::vector<std::size_t> starts = graph::starts_of(graph::blocks_of(model), partition);
  const std::size_t stages = starts.size();
  std::vector<std::unique_ptr<Between>> between;
  for (std::size_t s = 0; s + 1 < stages; ++s) between.push_back(std::make_unique<Between>());
  SumOfThreads sum(stages);
  Learnt learnt;
  std::vector<std::thread> threads;
  for (std::size_t s = 0; s < stages; ++s) {
    threads.emplace_back([&, s] {
      const TrainingStage stage = training_stage(model, starts, s, parameters, kParts);
      TrainerSettings settings = settings_of(item);
      settings.step.place = stage.place;
      Trainer trainer(stage.graph, stage.parameters, settings);
      QueueLink link(s == 0 ? nullptr : between[s - 1].get(), s + 1 == stages ? nullptr : between[s].get());
      trainer.works_on({static_cast<int>(s), static_cast<int>(stages), &link, s + 1 == stages, {}, [&sum, s](double value) { return sum.add(s, value); }});
      Samples samples(model);
      Learnt mine;
      take_steps(trainer, samples, mine);
      if (s + 1 == stages) learnt = mine;
    });
  }
  for (std::thread& thread : threads) thread.join();
  note(learnt, model);
  return learnt;
}

void expect_the_same(const Case& item, const std::vector<int>& partition) { testing::expect_the_same(item, in_stages(item, partition)); }

TEST(TrainingStages, LearnWhatTheWholeModelLearns) {
  expect_the_same({small("vit_tiny_patch16_224")}, {3});
  expect_the_same({small("vit_tiny_patch16_224")}, {1, 2});
  expect_the_same({small("deit3_small_patch16_224")}, {1, 1, 1});
  expect_the_same({small("vit_tiny_patch16_224")}, {0, 2, 0, 1});  // stages without a block
}

// Batch statistics are a micro-batch's, and stay with the stage that has the norm.
TEST(TrainingStages, OfConvolutionsKeepTheirRunningStatistics) { expect_the_same({small("mobilenet_v2")}, {5, 6, 6}); }

TEST(TrainingStages, LearnFromATeacherOnTheLastOne) {
  Case item{small("vit_tiny_patch16_224")};
  item.teacher_temperature = 2.0;
  expect_the_same(item, {2, 1});
  item.options.arch = "deit_tiny_distilled_patch16_224";
  expect_the_same(item, {1, 2});
}

// In front of all that moves no gradient travels: the first stages only look.
TEST(TrainingStages, SendNoGradientsToStagesThatDontMove) {
  Case item{small("vit_tiny_patch16_224")};
  item.trainable = [](const graph::Graph&) { return std::vector<std::string>{"blocks.2.mlp.fc1.weight", "head.weight", "head.bias"}; };
  const graph::Graph model = drawn(item);
  const std::vector<std::string> parameters = item.trainable(model);
  const std::vector<std::size_t> starts = graph::starts_of(graph::blocks_of(model), std::vector<int>{1, 1, 1});
  const TrainingStage middle = training_stage(model, starts, 1, parameters, kParts);
  EXPECT_TRUE(middle.parameters.empty());
  EXPECT_EQ(middle.place.outputs_learn, std::vector<bool>{false});
  expect_the_same(item, {1, 1, 1});
}

}  // namespace
}  // namespace edgelab::train

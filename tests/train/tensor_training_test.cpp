// Tensor parallel training in one process, a thread a member: the same steps as of the whole model.
#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <cstring>
#include <thread>

#include "core/error.hpp"
#include "graph/split/slice.hpp"
#include "graph/split/training_part.hpp"
#include "learning_together.hpp"

namespace edgelab::train {
namespace {

using namespace testing;

// Sums in the members' order, so that all have the same bits.
class Meeting {
 public:
  explicit Meeting(std::size_t members) : values_(members), barrier_(static_cast<std::ptrdiff_t>(members)) {}
  void add(std::size_t member, float* values, std::size_t count) {
    values_[member].assign(values, values + count);
    barrier_.arrive_and_wait();
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = 0.0f;
      for (const auto& each : values_) values[i] += each[i];
    }
    barrier_.arrive_and_wait();
  }

 private:
  std::vector<std::vector<float>> values_;
  std::barrier<> barrier_;
};

class ThreadTransport final : public kernels::Transport {
 public:
  ThreadTransport(Meeting& meeting, int rank, int size) : meeting_(meeting), rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void all_reduce(float* values, std::int64_t rows, std::int64_t width) override { meeting_.add(static_cast<std::size_t>(rank_), values, static_cast<std::size_t>(rows * width)); }
  void exchange(const kernels::StripExchange&, const std::byte*, std::byte*) override { ADD_FAILURE() << "nothing is exchanged"; }

 private:
  Meeting& meeting_;
  int rank_, size_;
};

Learnt shared_out(const Case& item, const std::vector<double>& weights) {
  const graph::Graph model = drawn(item);
  const std::vector<std::string> parameters = item.trainable(model);
  const std::size_t members = weights.size();
  Meeting meeting(members);
  SumOfThreads sum(members);
  std::vector<graph::TrainingPart> parts(members);
  std::vector<Learnt> learnt(members);
  std::vector<std::thread> threads;
  for (std::size_t m = 0; m < members; ++m) {
    threads.emplace_back([&, m] {
      ThreadTransport transport(meeting, static_cast<int>(m), static_cast<int>(members));
      // Each rank has the model in memory of its own.
      parts[m] = graph::tensor_training_part(drawn(item), {static_cast<int>(m), weights, &transport});
      std::vector<bool> counts;
      for (const std::string& name : parameters) counts.push_back(m == 0 || !parts[m].pieces.at(name).whole());
      Trainer trainer(parts[m].graph, parameters, settings_of(item));
      trainer.works_on({0, 1, nullptr, m == 0, counts, [&sum, m](double value) { return sum.add(m, value); }});
      Samples samples(model);
      take_steps(trainer, samples, learnt[m]);
    });
  }
  for (std::thread& thread : threads) thread.join();
  Learnt all = learnt.front();
  std::vector<models::NamedTensor> whole = models::named_weights(model);
  for (std::size_t m = 0; m < members; ++m) {
    EXPECT_EQ(learnt[m].losses, all.losses);
    EXPECT_EQ(learnt[m].norms, all.norms);
    for (const models::NamedTensor& weight : models::named_weights(parts[m].graph)) {
      const auto found = std::find_if(whole.begin(), whole.end(), [&](const models::NamedTensor& other) { return other.name == weight.name; });
      const graph::Piece& piece = parts[m].pieces.at(weight.name);
      if (piece.whole() && m > 0) {
        EXPECT_EQ(std::memcmp(weight.tensor.data(), found->tensor.data(), weight.tensor.bytes()), 0) << "all have it alike: " << weight.name;
      }
      if (piece.whole() && m == 0) std::memcpy(found->tensor.data(), weight.tensor.data(), weight.tensor.bytes());
      if (!piece.whole()) graph::paste(weight.tensor, piece.axis, piece.ranges, found->tensor);
    }
  }
  note(all, model);
  return all;
}

TEST(TensorTraining, LearnsWhatTheWholeModelLearns) {
  for (const char* arch : {"vit_tiny_patch16_224", "deit3_small_patch16_224", "deit_tiny_distilled_patch16_224"}) {
    Case item{small(arch)};
    for (const std::vector<double>& weights : {std::vector{1.0}, {1.0, 1.0}, {1.0, 1.0, 1.0}, {0.01, 1.0}}) expect_the_same(item, shared_out(item, weights));
  }
}

TEST(TensorTraining, LearnsFromATeacher) {
  Case item{small("vit_tiny_patch16_224")};
  item.teacher_temperature = 2.0;
  expect_the_same(item, shared_out(item, {1.0, 1.0}));
}

TEST(TensorTraining, RefusesWhatItCantShareOut) {
  const std::vector<double> four(4, 1.0);
  EXPECT_THROW(graph::tensor_training_part(drawn({small("vit_tiny_patch16_224")}), {0, four, nullptr}), Error) << "three heads";
  EXPECT_THROW(graph::tensor_training_part(drawn({small("mobilenet_v2")}), {0, four, nullptr}), Error);
}

}  // namespace
}  // namespace edgelab::train

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/tensor.hpp"
#include "data/augment.hpp"
#include "data/dataset.hpp"
#include "data/preprocess.hpp"

namespace edgelab::data {

struct TrainingLoaderOptions {
  int batch = 1;  // samples of a global batch: of all ranks together
  // Samples of each global batch that each rank takes, in order of rank; they sum to `batch`, and may be 0. Empty: one rank
  // takes all.
  std::vector<std::int64_t> shares{};
  int rank = 0;
  // What becomes of the samples that are left when an epoch's batches are full: true: they are skipped (each epoch skips
  // others); false: they make one more batch, padded.
  bool drop_last = true;
  PreprocessOptions preprocess{};
  Augmentations augment{};
  double label_smoothing = 0.0;  // 0 to 1
  std::uint64_t seed = 0;        // of order and augmentations
  // The loader starts at `step` of `epoch` and goes on to the end of epoch `epochs` - 1. Nothing is loaded for what is
  // skipped.
  std::int64_t epochs = 1, epoch = 0, step = 0;
  // Epoch e is drawn as epoch e mod this: so many epochs differ, and then they come again. 0: all differ.
  std::int64_t different_epochs = 0;
  int threads = 1;  // that decode, augment and resize
  int depth = 0;    // batches ready or in the making at most; 0: as many as hold 16 samples, and at least two
};

// One rank's rows of a global batch.
struct TrainingBatch {
  std::int64_t epoch = 0, step = 0;     // the step within the epoch
  Tensor images;                        // f32 [rows, 3, size, size]; padding is zeros
  Tensor targets;                       // f32 [rows, classes] after smoothing and mixing: each sums to 1, padding to 0
  std::vector<std::int32_t> labels;     // [rows] as the data set has them; -1: padding
  std::vector<std::int64_t> positions;  // [rows] of the samples in the data set; -1: padding
  std::int64_t count = 0;               // real samples among the rows: the first ones; may be 0 in a padded batch
  std::int64_t global_count = 0;        // … of all ranks: what the summed loss is to be divided by
};

// Full batches of an epoch, and one more for the rest without drop_last. 0 if the data set is smaller than a batch that
// may not be padded.
std::int64_t steps_per_epoch(std::int64_t samples, std::int64_t batch, bool drop_last);

// Cuts `batch` into whole shares that are nearest to the weights (how fast each rank is), the largest remainders first.
// Throws Error (usage) unless weights are finite, not negative, and one is positive.
std::vector<std::int64_t> shares_by_weight(std::int64_t batch, std::span<const double> weights);

// Goes through a data set as often as there are epochs, each time in another order, and prepares batches ahead of the
// consumer in threads of its own. What a global batch holds depends on the data set, the seed, the epoch and the step
// alone, bit for bit: not on the number of ranks, their shares or their threads. Mixing takes partners from the whole
// global batch; those in other ranks' shares are loaded here too.
//
// One consumer thread. Destroying it midway stops the threads after the sample each is at.
class TrainingLoader {
 public:
  // Starts the threads. Throws Error (usage) for numbers out of range, and where the data set has not enough for one batch.
  TrainingLoader(Dataset dataset, const TrainingLoaderOptions& options);
  ~TrainingLoader();
  TrainingLoader(const TrainingLoader&) = delete;
  TrainingLoader& operator=(const TrainingLoader&) = delete;

  std::int64_t steps_per_epoch() const;

  // The next batch, or nothing after the last epoch. Blocks until it is ready. Throws as Loader::next().
  std::optional<TrainingBatch> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace edgelab::data

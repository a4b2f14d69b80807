#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/tensor.hpp"
#include "data/dataset.hpp"
#include "data/preprocess.hpp"

namespace edgelab::data {

// A contiguous part [begin, end) of a data set's positions.
struct Shard {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
};

// The part of `rank` of `ranks`: parts don't overlap, cover everything, and differ by one sample at most.
Shard shard_of(std::int64_t samples, int rank, int ranks);

struct LoaderOptions {
  int batch = 1;  // samples
  PreprocessOptions preprocess;
  int rank = 0, ranks = 1;  // which shard of the data set
  int threads = 1;          // that decode and resize
  int depth = 0;            // batches ready or in the making at most; 0: as many as hold 16 samples, and at least two
};

struct Batch {
  Tensor images;                        // f32 [batch, 3, size, size]; samples from `count` on are zeros
  std::vector<std::int32_t> labels;     // [batch]; -1 from `count` on
  std::vector<std::int64_t> positions;  // [batch] of the samples in the data set; -1 from `count` on
  std::int64_t count = 0;               // real samples, at least 1; less than `batch` only in the last one
};

// Goes once through a shard of a data set, in order, and prepares batches ahead of the consumer in threads of its own.
// One consumer thread. Destroying it midway stops the threads after the sample each is at.
class Loader {
 public:
  // Starts the threads. Throws Error (usage) for numbers out of range.
  Loader(Dataset dataset, const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  std::int64_t samples() const;  // in this shard; may be 0
  std::int64_t batches() const;

  // The next batch, or nothing after the last. Blocks until it is ready. Where a batch could not be made it throws what
  // its thread threw, at that batch's turn and again on every later call.
  std::optional<Batch> next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace edgelab::data

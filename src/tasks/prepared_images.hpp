#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "data/dataset.hpp"
#include "data/loader.hpp"
#include "data/preprocess.hpp"

namespace edgelab::tasks {

// A data set's images as a model takes them, a chunk of calls at a time: prepared by all threads of the rank while nothing is timed,
// then read.
class PreparedImages {
 public:
  // `sample_floats`: of one prepared image. A call has `batch` of them; the last one's missing ones are zeros. Of a shard: of no
  // others, and the first call begins with its first.
  PreparedImages(const data::Dataset& dataset, const data::PreprocessOptions& options, int batch, std::int64_t sample_floats, int threads,
                 std::optional<data::Shard> shard = {});

  // How many of `calls` are prepared together.
  static std::int64_t calls_at_once(std::int64_t calls, int batch, std::int64_t sample_floats);
  std::int64_t calls() const { return calls_; }
  // Makes sure that the call's images are at hand, those of the whole chunk that it is in too, or, if `alone`, its own only: the first
  // answer need not wait for more. Throws Error for an image that can't be read.
  void load(std::int64_t call, bool alone = false);
  // Whether load() has nothing to do.
  bool holds(std::int64_t call) const { return call >= first_ && call < first_ + count_; }
  // [batch, 3, S, S] of a call that is loaded.
  std::span<const float> call(std::int64_t index) const;
  std::int64_t preprocess_ns() const { return preprocess_ns_; }

 private:
  void prepare(std::int64_t first_sample, std::int64_t samples);

  data::Dataset dataset_;
  data::PreprocessOptions options_;
  data::Shard shard_;
  int batch_, threads_;
  std::int64_t sample_floats_, calls_, chunk_calls_;
  std::int64_t first_ = 0, count_ = 0;  // calls at hand
  std::vector<float> images_;           // [call, batch, 3, S, S]
  std::int64_t preprocess_ns_ = 0;
};

}  // namespace edgelab::tasks

#include "data/loader.hpp"

#include <algorithm>
#include <utility>

#include "data/check_range.hpp"
#include "data/prefetcher.hpp"
#include "data/tensor_pool.hpp"

namespace edgelab::data {
namespace {

void check_options(const LoaderOptions& options) {
  check_range("the batch", options.batch, 1, kMaxBatch);
  check_range("the number of loader threads", options.threads, 1, kMaxLoaderThreads);
  check_range("the loader's depth", options.depth, 0, kMaxLoaderDepth);
  check_range("the number of ranks", options.ranks, 1, 1 << 24);
  check_range("the rank", options.rank, 0, options.ranks - 1);
}

// Makes whole batches, one after the other; one object a thread.
class BatchMaker {
 public:
  BatchMaker(const Dataset& dataset, const LoaderOptions& options, const Shard& shard, const TensorPool& pool)
      : dataset_(dataset), shard_(shard), pool_(pool), rows_(options.batch), preprocess_(options.preprocess) {}

  Batch operator()(std::int64_t number, const std::atomic<bool>& stopping) {
    const std::int64_t size = preprocess_.options().size, begin = shard_.begin + number * rows_;
    const auto length = static_cast<std::size_t>(rows_);
    Batch batch{pool_.take({rows_, kChannels, size, size}), std::vector<std::int32_t>(length, -1),
                std::vector<std::int64_t>(length, -1), std::min(rows_, shard_.end - begin)};
    const std::span<float> floats = batch.images.as<float>();
    const auto sample = static_cast<std::size_t>(kChannels * size * size);
    for (std::int64_t i = 0; i < batch.count && !stopping; ++i) {
      const auto at = static_cast<std::size_t>(i);
      batch.positions[at] = begin + i;
      batch.labels[at] = dataset_.label(begin + i);
      preprocess_(dataset_.image(begin + i), floats.subspan(at * sample, sample));
    }
    std::ranges::fill(floats.subspan(static_cast<std::size_t>(batch.count) * sample), 0.0f);
    return batch;
  }

 private:
  const Dataset dataset_;
  const Shard shard_;
  const TensorPool pool_;
  const std::int64_t rows_;
  Preprocessor preprocess_;
};

}  // namespace

Shard shard_of(std::int64_t samples, int rank, int ranks) {
  const std::int64_t share = samples / ranks, longer = samples % ranks;
  const std::int64_t begin = share * rank + std::min<std::int64_t>(rank, longer);
  return {begin, begin + share + (rank < longer ? 1 : 0)};
}

struct Loader::State {
  Shard shard;
  Prefetcher<Batch> batches;
};

Loader::Loader(Dataset dataset, const LoaderOptions& options) {
  check_options(options);
  const Preprocessor checked(options.preprocess);
  const Shard shard = shard_of(dataset.size(), options.rank, options.ranks);
  const std::int64_t batches = (shard.size() + options.batch - 1) / options.batch;
  const int depth = options.depth > 0 ? options.depth : std::max(2, 16 / options.batch);
  state_.reset(new State{shard, {batches, options.threads, depth, [dataset = std::move(dataset), options, shard, pool = TensorPool()] {
                                   return BatchMaker(dataset, options, shard, pool);
                                 }}});
}

Loader::~Loader() = default;

std::int64_t Loader::samples() const { return state_->shard.size(); }
std::int64_t Loader::batches() const { return state_->batches.count(); }
std::optional<Batch> Loader::next() { return state_->batches.next(); }

}  // namespace edgelab::data

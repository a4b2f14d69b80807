#include "data/loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "core/error.hpp"

namespace edgelab::data {
namespace {

void check(const char* what, int value, int low, int high) {
  if (value >= low && value <= high) return;
  throw Error(ErrorKind::usage, fmt::format("{} is out of range", what))
      .got(std::to_string(value))
      .expected(fmt::format("{} to {}", low, high));
}

void check_options(const LoaderOptions& options) {
  check("the batch", options.batch, 1, 65536);
  check("the number of loader threads", options.threads, 1, 256);
  check("the loader's depth", options.depth, 0, 65536);
  check("the number of ranks", options.ranks, 1, 1 << 24);
  check("the rank", options.rank, 0, options.ranks - 1);
}

// One place of the queue. `failure` stands instead of a batch.
struct Slot {
  std::optional<Batch> batch;
  std::exception_ptr failure;
};

}  // namespace

Shard shard_of(std::int64_t samples, int rank, int ranks) {
  const std::int64_t share = samples / ranks, longer = samples % ranks;
  const std::int64_t begin = share * rank + std::min<std::int64_t>(rank, longer);
  return {begin, begin + share + (rank < longer ? 1 : 0)};
}

// Batch b is made in slot b % depth, by whichever thread claims it; a batch is claimed only when its slot is free, so
// that at most `depth` are held. Each thread makes whole batches: threads then share nothing but the claims.
struct Loader::State {
  State(Dataset data, const LoaderOptions& wanted)
      : dataset(std::move(data)),
        options(wanted),
        shard(shard_of(dataset.size(), wanted.rank, wanted.ranks)),
        batches((shard.size() + wanted.batch - 1) / wanted.batch),
        slots(static_cast<std::size_t>(wanted.depth > 0 ? wanted.depth : std::max(2, 16 / wanted.batch))) {}

  // Here rather than in Loader's destructor: a thread that can't be started ends Loader's constructor halfway.
  ~State() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    changed.notify_all();
  }

  const Dataset dataset;
  const LoaderOptions options;
  const Shard shard;
  const std::int64_t batches;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Slot> slots;
  std::int64_t claimed = 0, taken = 0;  // batches
  bool stopping = false;
  std::vector<std::jthread> threads;  // last: joined before the rest goes

  Slot& slot_of(std::int64_t batch) { return slots[static_cast<std::size_t>(batch) % slots.size()]; }

  std::optional<std::int64_t> claim() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] {
      return stopping || claimed == batches || claimed - taken < static_cast<std::int64_t>(slots.size());
    });
    if (stopping || claimed == batches) return std::nullopt;
    return claimed++;
  }

  bool stop_asked() {
    const std::lock_guard lock(mutex);
    return stopping;
  }

  Batch make(std::int64_t number, Preprocessor& preprocess) {
    const std::int64_t rows = options.batch, size = options.preprocess.size;
    const std::int64_t begin = shard.begin + number * rows;
    const auto length = static_cast<std::size_t>(rows);
    Batch batch{Tensor(DType::f32, {rows, kChannels, size, size}), std::vector<std::int32_t>(length, -1),
                std::vector<std::int64_t>(length, -1), std::min(rows, shard.end - begin)};
    const std::span<float> floats = batch.images.as<float>();
    const auto sample = static_cast<std::size_t>(kChannels * size * size);
    for (std::int64_t i = 0; i < batch.count && !stop_asked(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      batch.positions[at] = begin + i;
      batch.labels[at] = dataset.label(begin + i);
      preprocess(dataset.image(begin + i), floats.subspan(at * sample, sample));
    }
    return batch;
  }

  // A failure ends the claims: what would follow it is never given out.
  void finish(std::int64_t number, Slot made) {
    {
      const std::lock_guard lock(mutex);
      if (made.failure) claimed = batches;
      slot_of(number) = std::move(made);
    }
    changed.notify_all();
  }

  void work() {
    Preprocessor preprocess(options.preprocess);
    while (const std::optional<std::int64_t> number = claim()) {
      Slot made;
      try {
        made.batch = make(*number, preprocess);
      } catch (...) {
        made.failure = std::current_exception();
      }
      finish(*number, std::move(made));
    }
  }
};

Loader::Loader(Dataset dataset, const LoaderOptions& options) {
  check_options(options);
  const Preprocessor checked(options.preprocess);
  state_ = std::make_unique<State>(std::move(dataset), options);
  const std::int64_t threads = std::min<std::int64_t>(options.threads, state_->batches);
  for (std::int64_t i = 0; i < threads; ++i) state_->threads.emplace_back([state = state_.get()] { state->work(); });
}

Loader::~Loader() = default;

std::int64_t Loader::samples() const { return state_->shard.size(); }
std::int64_t Loader::batches() const { return state_->batches; }

std::optional<Batch> Loader::next() {
  std::optional<Batch> batch;
  {
    std::unique_lock lock(state_->mutex);
    if (state_->taken == state_->batches) return std::nullopt;
    Slot& slot = state_->slot_of(state_->taken);
    state_->changed.wait(lock, [&] { return slot.batch || slot.failure; });
    if (slot.failure) std::rethrow_exception(slot.failure);
    batch = std::exchange(slot.batch, std::nullopt);
    ++state_->taken;
  }
  state_->changed.notify_all();
  return batch;
}

}  // namespace edgelab::data

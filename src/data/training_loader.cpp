#include "data/training_loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "data/check_range.hpp"
#include "data/mixing.hpp"
#include "data/prefetcher.hpp"
#include "data/shuffle.hpp"
#include "data/tensor_pool.hpp"

namespace edgelab::data {
namespace {

using Order = std::shared_ptr<const std::vector<std::int64_t>>;

// The orders of the epochs that threads are at, which are two at most where an epoch is longer than the queue.
class EpochOrders {
 public:
  EpochOrders(std::int64_t samples, std::uint64_t seed) : samples_(samples), seed_(seed) {}

  Order of(std::int64_t epoch) {
    const std::lock_guard lock(mutex_);
    auto& [known, order] = kept_[static_cast<std::size_t>(epoch % 2)];
    if (!order || known != epoch) {
      order = std::make_shared<const std::vector<std::int64_t>>(epoch_order(samples_, seed_, epoch));
      known = epoch;
    }
    return order;
  }

 private:
  const std::int64_t samples_;
  const std::uint64_t seed_;
  std::mutex mutex_;
  std::pair<std::int64_t, Order> kept_[2];
};

// The rows of a global batch that are this rank's.
struct Share {
  std::int64_t begin = 0, end = 0;
};

Share share_of(const TrainingLoaderOptions& options) {
  if (options.shares.empty()) return {0, options.batch};
  const auto own = options.shares.begin() + options.rank;
  const std::int64_t begin = std::accumulate(options.shares.begin(), own, std::int64_t{0});
  return {begin, begin + *own};
}

void check_options(const TrainingLoaderOptions& options) {
  check_range("the batch", options.batch, 1, kMaxBatch);
  check_range("the number of loader threads", options.threads, 1, kMaxLoaderThreads);
  check_range("the loader's depth", options.depth, 0, kMaxLoaderDepth);
  check_range("the number of ranks", std::ssize(options.shares), 0, 1 << 24);
  check_range("the rank", options.rank, 0, std::max<std::int64_t>(std::ssize(options.shares), 1) - 1);
  std::int64_t sum = 0;
  for (const std::int64_t share : options.shares) {
    check_range("a rank's share of the batch", share, 0, options.batch);
    sum += share;
  }
  if (!options.shares.empty() && sum != options.batch) {
    throw Error(ErrorKind::usage, "the ranks' shares don't make up the batch")
        .got(std::to_string(sum)).expected(std::to_string(options.batch));
  }
  if (!(options.label_smoothing >= 0.0 && options.label_smoothing <= 1.0)) {
    throw Error(ErrorKind::usage, "label smoothing is out of range")
        .got(fmt::format("{}", options.label_smoothing)).expected("0 to 1");
  }
}

void check_start(const TrainingLoaderOptions& options, std::int64_t samples, std::int64_t steps) {
  if (steps == 0) {
    throw Error(ErrorKind::usage, "the data set has fewer samples than one batch")
        .got(fmt::format("{} samples and a batch of {}", samples, options.batch))
        .hint("take a smaller batch, or keep the last short batch (drop_last: false)");
  }
  check_range("the number of epochs", options.epochs, 0, std::int64_t{1} << 32);
  check_range("the number of different epochs", options.different_epochs, 0, std::int64_t{1} << 32);
  check_range("the first epoch", options.epoch, 0, options.epochs);
  check_range("the first step", options.step, 0, steps);
}

// Makes whole batches; one object a thread.
class TrainingBatchMaker {
 public:
  TrainingBatchMaker(const Dataset& dataset, const TrainingLoaderOptions& options, std::shared_ptr<EpochOrders> orders,
                     const TensorPool& pool)
      : dataset_(dataset), options_(options), orders_(std::move(orders)), pool_(pool), share_(share_of(options)),
        augment_(options.augment), preprocess_(options.preprocess),
        sample_(static_cast<std::size_t>(kChannels) * static_cast<std::size_t>(options.preprocess.size) *
                static_cast<std::size_t>(options.preprocess.size)) {}

  TrainingBatch operator()(std::int64_t epoch, std::int64_t step, const std::atomic<bool>& stopping) {
    epoch_ = options_.different_epochs > 0 ? epoch % options_.different_epochs : epoch;
    const Order order = orders_->of(epoch_);
    const std::int64_t begin = step * options_.batch;
    members_ = std::span(*order).subspan(static_cast<std::size_t>(begin));
    members_ = members_.first(std::min(members_.size(), static_cast<std::size_t>(options_.batch)));

    TrainingBatch batch = empty_batch();
    batch.epoch = epoch;
    batch.step = step;
    const Mix mix = draw_mix(options_.augment, step_random(options_.seed, epoch_, step), options_.preprocess.size);
    const auto images = batch.images.as<float>(), targets = batch.targets.as<float>();
    const auto classes = static_cast<std::size_t>(dataset_.classes());
    for (std::int64_t i = 0; i < batch.count && !stopping; ++i) {
      const auto at = static_cast<std::size_t>(i);
      batch.positions[at] = position(share_.begin + i);
      batch.labels[at] = dataset_.label(batch.positions[at]);
      soft_target(mix, batch.labels[at], dataset_.label(position(partner_of(share_.begin + i))), options_.label_smoothing,
                  targets.subspan(at * classes, classes));
      load(batch.positions[at], image_of(images, i));
    }
    if (mix.kind != Mix::Kind::none) mix_all(mix, images, batch.count, stopping);
    return batch;
  }

 private:
  std::int64_t position(std::int64_t row) const { return members_[static_cast<std::size_t>(row)]; }
  std::int64_t partner_of(std::int64_t row) const { return std::ssize(members_) - 1 - row; }
  std::span<float> image_of(std::span<float> images, std::int64_t i) const {
    return images.subspan(static_cast<std::size_t>(i) * sample_, sample_);
  }

  // Its padding is done.
  TrainingBatch empty_batch() const {
    const std::int64_t rows = share_.end - share_.begin, size = options_.preprocess.size;
    TrainingBatch batch;
    batch.images = pool_.take({rows, kChannels, size, size});
    batch.targets = pool_.take({rows, dataset_.classes()});
    batch.labels.assign(static_cast<std::size_t>(rows), -1);
    batch.positions.assign(static_cast<std::size_t>(rows), -1);
    batch.global_count = std::ssize(members_);
    batch.count = std::clamp<std::int64_t>(batch.global_count - share_.begin, 0, rows);
    for (Tensor* tensor : {&batch.images, &batch.targets}) {
      const auto floats = tensor->as<float>();
      const std::size_t row = rows == 0 ? 0 : floats.size() / static_cast<std::size_t>(rows);
      std::ranges::fill(floats.subspan(static_cast<std::size_t>(batch.count) * row), 0.0f);
    }
    return batch;
  }

  void load(std::int64_t position, std::span<float> image) {
    preprocess_(augment_(dataset_.image(position), sample_random(options_.seed, epoch_, position)), image);
  }

  // A pair that is here whole is mixed from both its images as they were; of others the partner is loaded.
  void mix_all(const Mix& mix, std::span<float> images, std::int64_t count, const std::atomic<bool>& stopping) {
    scratch_.resize(sample_);
    const int size = options_.preprocess.size;
    for (std::int64_t i = 0; i < count && !stopping; ++i) {
      const std::int64_t partner = partner_of(share_.begin + i) - share_.begin;
      const std::span<float> image = image_of(images, i);
      if (partner < 0 || partner >= count) {
        load(position(share_.begin + partner), scratch_);
        mix_images(mix, size, image, scratch_);
      } else if (i < partner) {
        std::ranges::copy(image, scratch_.begin());
        mix_images(mix, size, image, image_of(images, partner));
        mix_images(mix, size, image_of(images, partner), scratch_);
      }
    }
  }

  const Dataset dataset_;
  const TrainingLoaderOptions options_;
  const std::shared_ptr<EpochOrders> orders_;
  const TensorPool pool_;
  const Share share_;
  ImageAugmenter augment_;
  Preprocessor preprocess_;
  const std::size_t sample_;                // floats
  std::span<const std::int64_t> members_;  // positions of the global batch's samples
  std::int64_t epoch_ = 0;  // as it is drawn
  std::vector<float> scratch_;
};

}  // namespace

std::int64_t steps_per_epoch(std::int64_t samples, std::int64_t batch, bool drop_last) {
  return drop_last ? samples / batch : (samples + batch - 1) / batch;
}

std::vector<std::int64_t> shares_by_weight(std::int64_t batch, std::span<const double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const bool fine = std::ranges::all_of(weights, [](double weight) { return weight >= 0.0; });
  if (!fine || !std::isfinite(sum) || sum <= 0.0)
    throw Error(ErrorKind::usage, "the ranks' weights can't be shared by").expected("numbers from 0 up, one of them above 0");
  std::vector<std::int64_t> shares;
  std::vector<std::pair<double, std::size_t>> remainders;  // negated, so that of equal ones the lower rank comes first
  for (const double weight : weights) {
    const double exact = static_cast<double>(batch) * (weight / sum);
    shares.push_back(static_cast<std::int64_t>(exact));
    remainders.emplace_back(static_cast<double>(shares.back()) - exact, remainders.size());
  }
  std::ranges::sort(remainders);
  std::int64_t left = batch - std::accumulate(shares.begin(), shares.end(), std::int64_t{0});
  for (std::size_t i = 0; left > 0; ++i, --left) ++shares[remainders[i % remainders.size()].second];
  return shares;
}

struct TrainingLoader::State {
  std::int64_t steps;  // an epoch
  Prefetcher<TrainingBatch> batches;
};

TrainingLoader::TrainingLoader(Dataset dataset, const TrainingLoaderOptions& options) {
  check_options(options);
  const Preprocessor checked(options.preprocess);
  const std::int64_t steps = data::steps_per_epoch(dataset.size(), options.batch, options.drop_last);
  check_start(options, dataset.size(), steps);
  const std::int64_t first = options.epoch * steps + options.step;
  const std::int64_t count = std::max<std::int64_t>(0, options.epochs * steps - first);
  const int depth = options.depth > 0 ? options.depth : std::max(2, 16 / options.batch);
  auto orders = std::make_shared<EpochOrders>(dataset.size(), options.seed);
  const auto maker = [dataset = std::move(dataset), options, orders = std::move(orders), pool = TensorPool(), first, steps] {
    return [make = TrainingBatchMaker(dataset, options, orders, pool), first, steps](
               std::int64_t number, const std::atomic<bool>& stopping) mutable {
      return make((first + number) / steps, (first + number) % steps, stopping);
    };
  };
  state_.reset(new State{steps, {count, options.threads, depth, maker}});
}

TrainingLoader::~TrainingLoader() = default;

std::int64_t TrainingLoader::steps_per_epoch() const { return state_->steps; }
std::optional<TrainingBatch> TrainingLoader::next() { return state_->batches.next(); }

}  // namespace edgelab::data

#include "tasks/prepared_images.hpp"

#include <algorithm>
#include <exception>
#include <optional>

#include "core/clock.hpp"
#include "core/parallel_for.hpp"

namespace edgelab::tasks {
namespace {

// A chunk's tensors must fit beside the model on a Raspberry Pi with 1 GB.
constexpr std::int64_t kChunkBytes = 128 << 20;

}  // namespace

PreparedImages::PreparedImages(const data::Dataset& dataset, const data::PreprocessOptions& options, int batch, std::int64_t sample_floats, int threads,
                               std::optional<data::Shard> shard)
    : dataset_(dataset), options_(options), shard_(shard.value_or(data::Shard{0, dataset.size()})), batch_(batch), threads_(threads), sample_floats_(sample_floats),
      calls_((shard_.size() + batch - 1) / batch),
      chunk_calls_(calls_at_once(calls_, batch, sample_floats)) {}

std::int64_t PreparedImages::calls_at_once(std::int64_t calls, int batch, std::int64_t sample_floats) {
  return std::clamp<std::int64_t>(kChunkBytes / (batch * sample_floats * static_cast<std::int64_t>(sizeof(float))), 1, calls);
}

std::span<const float> PreparedImages::call(std::int64_t index) const {
  const std::int64_t floats = batch_ * sample_floats_;
  return std::span(images_).subspan(static_cast<std::size_t>((index - first_) * floats), static_cast<std::size_t>(floats));
}

void PreparedImages::load(std::int64_t call, bool alone) {
  if (holds(call)) return;
  const std::int64_t before = now_ns();
  first_ = alone ? call : call / chunk_calls_ * chunk_calls_;
  count_ = alone ? 1 : std::min(chunk_calls_, calls_ - first_);
  images_.assign(static_cast<std::size_t>(count_ * batch_ * sample_floats_), 0.0f);
  const std::int64_t first_sample = first_ * batch_;
  prepare(shard_.begin + first_sample, std::min(shard_.size() - first_sample, count_ * batch_));
  preprocess_ns_ += now_ns() - before;
  if (alone) count_ = 0;  // the chunk is yet to come
}

void PreparedImages::prepare(std::int64_t first_sample, std::int64_t samples) {
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(samples));  // an exception must not leave a thread
  parallel_for(samples, threads_, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      try {
        thread_local std::optional<data::Preprocessor> preprocessor;
        if (i == begin) preprocessor.emplace(options_);
        (*preprocessor)(dataset_.image(first_sample + i),
                        std::span(images_).subspan(static_cast<std::size_t>(i * sample_floats_), static_cast<std::size_t>(sample_floats_)));
      } catch (...) {
        failures[static_cast<std::size_t>(i)] = std::current_exception();
      }
    }
  });
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace edgelab::tasks

#include "compress/quantize/observer.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.hpp"
#include "core/parallel_for.hpp"
#include "graph/passes/passes.hpp"

namespace edgelab::compress {
namespace {

using graph::ValueId;

// Sums and largest magnitudes of the channels of the first `samples` samples.
void note_channels(const Tensor& value, std::int64_t samples, Observation& observation) {
  const Shape& shape = value.shape();
  const auto numbers = value.as<float>();
  const bool map = shape.rank() == 4;
  const std::int64_t channels = map ? shape[1] : shape[shape.rank() - 1], plane = map ? shape[2] * shape[3] : 1;
  const std::int64_t rows = samples * value.elements() / std::max<std::int64_t>(1, shape[0]) / (channels * plane);
  observation.sum.resize(static_cast<std::size_t>(channels));
  observation.largest.resize(static_cast<std::size_t>(channels));
  observation.of_a_channel += rows * plane;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float* from = numbers.data() + (row * channels + c) * plane;
      double sum = 0.0;
      float most = observation.largest[static_cast<std::size_t>(c)];
      for (std::int64_t i = 0; i < plane; ++i) sum += static_cast<double>(from[i]), most = std::max(most, std::abs(from[i]));
      observation.sum[static_cast<std::size_t>(c)] += sum;
      observation.largest[static_cast<std::size_t>(c)] = most;
    }
  }
}

void note_thirds(const Tensor& value, std::int64_t samples, std::vector<Histogram>& thirds) {
  const std::int64_t width = value.shape()[value.shape().rank() - 1], third = width / 3, rows = samples * value.elements() / value.shape()[0] / width;
  std::vector<float> numbers(static_cast<std::size_t>(rows * third));
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::int64_t row = 0; row < rows; ++row) std::copy_n(value.as<float>().data() + row * width + static_cast<std::int64_t>(i) * third, third, numbers.data() + row * third);
    thirds[i].add(numbers);
  }
}

}  // namespace

void Observation::add(const Observation& other) {
  numbers.add(other.numbers);
  sum.resize(std::max(sum.size(), other.sum.size()));
  largest.resize(sum.size());
  for (std::size_t c = 0; c < other.sum.size(); ++c) sum[c] += other.sum[c], largest[c] = std::max(largest[c], other.largest[c]);
  of_a_channel += other.of_a_channel;
}

Observer::Observer(const graph::Graph& model) : layers_(graph::quantizable_layers(model)) {
  std::set<ValueId> seen;
  const auto watch = [&](ValueId value) {
    if (seen.insert(value).second) watched_.push_back(value);
    observations_.try_emplace(value);
  };
  for (const QuantizableLayer& layer : quantizable(layers_)) watch(layer.input);
  for (const graph::Node* attention : quantizable_attentions(layers_)) {
    watch(attention->inputs[0]);
    thirds_.try_emplace(attention->inputs[0], 3);
  }
  const ValueId images = layers_.inputs().front();
  watches_images_ = seen.contains(images);
  std::ranges::stable_partition(watched_, [&](ValueId value) { return value == images; });
  for (const ValueId value : watched_) {
    if (value != images) layers_.output(value);
  }
}

void Observer::note(const Tensor& images, std::span<const Tensor> outputs, std::int64_t count, int threads) {
  const auto layers = static_cast<std::int64_t>(watched_.size());
  parallel_for(layers, threads, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const ValueId value = watched_[static_cast<std::size_t>(i)];
      const std::int64_t number = i + (watches_images_ ? 0 : 1);  // outputs[0] is the logits
      const Tensor& output = number == 0 ? images : outputs[static_cast<std::size_t>(number)];
      Observation& observation = observations_.at(value);
      observation.numbers.add(output.as<float>().first(static_cast<std::size_t>(count * output.elements() / output.shape()[0])));
      note_channels(output, count, observation);
      if (const auto thirds = thirds_.find(value); thirds != thirds_.end()) note_thirds(output, count, thirds->second);
    }
  });
  for (const ValueId value : watched_) {
    if (observations_.at(value).numbers.not_finite() == 0) continue;
    throw Error(ErrorKind::data, "calibration met numbers that are not finite, at " + layers_.value(value).name).hint("the model's float answers are no numbers either: check its weights and images");
  }
}

void Observer::own_weights() {
  for (const ValueId id : layers_.weights()) layers_.bind(id, layers_.value(id).data.clone());
}

std::vector<double> Observer::packed() const {
  std::vector<double> all;
  const auto append = [&](const auto& numbers) { all.insert(all.end(), numbers.begin(), numbers.end()); };
  for (const ValueId value : watched_) {
    const Observation& seen = observations_.at(value);
    append(seen.numbers.packed());
    all.push_back(static_cast<double>(seen.of_a_channel));
    all.push_back(static_cast<double>(seen.sum.size()));
    append(seen.sum);
    append(seen.largest);
    if (const auto thirds = thirds_.find(value); thirds != thirds_.end()) {
      for (const Histogram& third : thirds->second) append(third.packed());
    }
  }
  return all;
}

void Observer::add(std::span<const double> packed) {
  const std::size_t histogram = Histogram().packed().size();
  const auto take = [&](std::size_t count) {
    const auto part = packed.first(count);
    packed = packed.subspan(count);
    return part;
  };
  for (const ValueId value : watched_) {
    Observation other;
    other.numbers = Histogram::unpacked(take(histogram));
    other.of_a_channel = static_cast<std::int64_t>(take(1)[0]);
    const auto channels = static_cast<std::size_t>(take(1)[0]);
    const auto sum = take(channels), largest = take(channels);
    other.sum.assign(sum.begin(), sum.end());
    for (const double most : largest) other.largest.push_back(static_cast<float>(most));
    observations_.at(value).add(other);
    if (const auto thirds = thirds_.find(value); thirds != thirds_.end()) {
      for (Histogram& third : thirds->second) third.add(Histogram::unpacked(take(histogram)));
    }
  }
}

}  // namespace edgelab::compress

#include "data/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"
#include "data/check_range.hpp"
#include "data/cifar.hpp"
#include "data/image_folder.hpp"
#include "data/lookup.hpp"
#include "data/shapes10.hpp"
#include "data/shuffle.hpp"
#include "data/source.hpp"

namespace edgelab::data {

struct Dataset::Contents {
  Source source;
  std::vector<std::int64_t> selected;  // file index of each sample
};

namespace {

// Labels are held in memory, four bytes each.
constexpr std::int64_t kMaxSamples = 100'000'000;

void check_options(const DatasetOptions& options) {
  const auto& names = dataset_names();
  if (std::find(names.begin(), names.end(), options.dataset) == names.end()) {
    const std::string nearest = nearest_name(options.dataset, names);
    throw Error(ErrorKind::usage, "there is no data set of this name")
        .got(fmt::format("'{}'", options.dataset))
        .expected("cifar10, cifar100, images or shapes10")
        .hint(nearest.empty() ? "" : fmt::format("did you mean {}?", nearest));
  }
  if (options.limit) check_range("data.limit", *options.limit, 1, kMaxSamples);
  if (options.per_class) check_range("data.per_class", *options.per_class, 1, kMaxSamples);
}

// As many samples as the usual size, or as the options call for where that is more.
Source generated_shapes(const DatasetOptions& options) {
  const std::uint64_t seed = options.seed;
  const Split split = options.split;
  std::int64_t count = split == Split::train ? kShapesTrain : kShapesTest;
  if (options.limit) count = std::max(count, *options.limit);
  if (options.per_class) count = std::max(count, *options.per_class * kShapesClasses);
  check_range("data.per_class", count, 1, kMaxSamples);

  Source source;
  source.place = fmt::format("generated with seed {}", seed);
  source.class_names = shapes10_names();
  source.labels.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) source.labels.push_back(shapes10_label(seed, split, i));
  source.image = [seed, split](std::int64_t index) -> Image {
    auto pixels = std::make_shared<std::array<std::uint8_t, kShapesBytes>>();
    draw_shape(seed, split, index, *pixels);
    return {kShapesSide, kShapesSide, *pixels, pixels};
  };
  source.hash = [seed, split](std::span<const std::int64_t>) { return shapes10_hash(seed, split); };
  return source;
}

Source open_source(const DatasetOptions& options) {
  if (options.dataset == "shapes10" && options.path.empty()) return generated_shapes(options);
  const std::filesystem::path folder = find_dataset_folder(options);
  const CifarLayout* layout = cifar_layout_of(options.dataset);
  return layout == nullptr ? open_image_folder(folder, options.split) : open_cifar(*layout, folder, options.split);
}

void keep_per_class(std::vector<std::int64_t>& indices, const Source& source, std::int64_t wanted) {
  std::vector<std::int64_t> taken(source.class_names.size(), 0);
  std::erase_if(indices, [&](std::int64_t index) {
    std::int64_t& count = taken[static_cast<std::size_t>(source.labels[static_cast<std::size_t>(index)])];
    if (count == wanted) return true;
    ++count;
    return false;
  });
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (taken[i] == wanted) continue;
    throw Error(ErrorKind::usage,
                fmt::format("data.per_class asks for more than class '{}' has", source.class_names[i]))
        .at({source.place})
        .got(std::to_string(wanted))
        .expected(fmt::format("at most {}", taken[i]));
  }
}

std::vector<std::int64_t> select(const DatasetOptions& options, const Source& source) {
  std::vector<std::int64_t> indices(source.labels.size());
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  if (options.shuffle) shuffle(indices, CounterRandom(stream_key(options.seed, "data/shuffle")));
  if (options.per_class) keep_per_class(indices, source, *options.per_class);
  if (options.limit && static_cast<std::size_t>(*options.limit) < indices.size()) {
    indices.resize(static_cast<std::size_t>(*options.limit));
  }
  return indices;
}

}  // namespace

Dataset::Dataset(std::shared_ptr<const Contents> contents) : contents_(std::move(contents)) {}

std::int64_t Dataset::size() const { return static_cast<std::int64_t>(contents_->selected.size()); }
int Dataset::classes() const { return static_cast<int>(contents_->source.class_names.size()); }
const std::vector<std::string>& Dataset::class_names() const { return contents_->source.class_names; }
const std::string& Dataset::place() const { return contents_->source.place; }

std::int64_t Dataset::file_index(std::int64_t position) const {
  return contents_->selected.at(static_cast<std::size_t>(position));
}

std::int32_t Dataset::label(std::int64_t position) const {
  return contents_->source.labels[static_cast<std::size_t>(file_index(position))];
}

Image Dataset::image(std::int64_t position) const { return contents_->source.image(file_index(position)); }
std::string Dataset::content_hash() const { return contents_->source.hash(contents_->selected); }

Dataset open_dataset(const DatasetOptions& options) {
  check_options(options);
  auto contents = std::make_shared<Dataset::Contents>();
  contents->source = open_source(options);
  contents->selected = select(options, contents->source);
  return Dataset(std::move(contents));
}

std::optional<int> usual_classes(std::string_view dataset) {
  if (dataset == "cifar10" || dataset == "shapes10") return 10;
  if (dataset == "cifar100") return 100;
  return std::nullopt;
}

}  // namespace edgelab::data

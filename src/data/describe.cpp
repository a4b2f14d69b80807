#include "data/describe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "core/error.hpp"
#include "data/cifar.hpp"
#include "data/dataset.hpp"
#include "data/lookup.hpp"

namespace edgelab::data {
namespace {

namespace fs = std::filesystem;

DatasetOptions options_for(const std::string& name_or_folder) {
  DatasetOptions options;
  const auto& names = dataset_names();
  if (std::find(names.begin(), names.end(), name_or_folder) != names.end()) {
    options.dataset = name_or_folder;
    return options;
  }
  std::error_code ignored;
  if (!fs::is_directory(name_or_folder, ignored)) {
    const std::string nearest = nearest_name(name_or_folder, names);
    throw Error(ErrorKind::environment, "there is neither a data set nor a folder of this name")
        .got(fmt::format("'{}'", name_or_folder))
        .expected("cifar10, cifar100, images, shapes10 or a folder")
        .hint(nearest.empty() ? "" : fmt::format("did you mean {}?", nearest));
  }
  options.path = name_or_folder;
  options.dataset = "images";
  for (const CifarLayout* layout : {&cifar10_layout(), &cifar100_layout()}) {
    if (has_cifar_files(*layout, options.path, Split::train) || has_cifar_files(*layout, options.path, Split::test)) {
      options.dataset = layout->dataset;
    }
  }
  return options;
}

// Nothing where the split's files are missing; the reason goes to `missing`.
std::optional<Dataset> open_if_there(const DatasetOptions& options, std::optional<Error>& missing) {
  try {
    return open_dataset(options);
  } catch (const Error& failure) {
    if (failure.kind() != ErrorKind::environment) throw;
    missing = failure;
    return std::nullopt;
  }
}

SplitDescription describe_split(const Dataset& dataset, Split split) {
  SplitDescription description;
  description.split = name_of(split);
  description.place = dataset.place();
  description.samples = dataset.size();
  description.per_class.resize(dataset.class_names().size());
  const Image first = dataset.image(0);
  description.least_width = description.most_width = first.width;
  description.least_height = description.most_height = first.height;
  for (std::int64_t i = 0; i < dataset.size(); ++i) {
    ++description.per_class[static_cast<std::size_t>(dataset.label(i))];
    const Image image = dataset.image(i);
    description.least_width = std::min(description.least_width, image.width);
    description.most_width = std::max(description.most_width, image.width);
    description.least_height = std::min(description.least_height, image.height);
    description.most_height = std::max(description.most_height, image.height);
  }
  description.hash = dataset.content_hash();
  return description;
}

}  // namespace

DatasetDescription describe(const std::string& name_or_folder) {
  DatasetOptions options = options_for(name_or_folder);
  DatasetDescription description{options.dataset, {}, {}};
  std::optional<Error> missing;
  for (const Split split : {Split::train, Split::test}) {
    options.split = split;
    const std::optional<Dataset> dataset = open_if_there(options, missing);
    if (!dataset) continue;
    // An image folder without splits gives the same images for both; a generated set is two all the same.
    if (options.dataset == "images" && !description.splits.empty() && description.splits[0].place == dataset->place()) {
      description.splits[0].split = "all";
      continue;
    }
    description.class_names = dataset->class_names();
    description.splits.push_back(describe_split(*dataset, split));
  }
  if (description.splits.empty()) throw Error(*missing);
  return description;
}

}  // namespace edgelab::data

#include "data/lookup.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <system_error>

#include "core/cache_folder.hpp"
#include "core/error.hpp"

namespace edgelab::data {
namespace {

namespace fs = std::filesystem;

fs::path environment_path(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fs::path() : fs::path(value);
}

bool holds(const DatasetOptions& options, const fs::path& folder) {
  std::error_code ignored;
  const CifarLayout* layout = cifar_layout_of(options.dataset);
  return layout == nullptr ? fs::is_directory(folder, ignored) : has_cifar_files(*layout, folder, options.split);
}

std::vector<fs::path> places_of(const DatasetOptions& options) {
  if (!options.path.empty()) return {options.path};
  const CifarLayout* layout = cifar_layout_of(options.dataset);
  const fs::path usual = layout == nullptr ? fs::path(options.dataset) : fs::path(layout->folder);
  std::vector<fs::path> places;
  if (const fs::path root = environment_path("EDGELAB_DATA"); !root.empty()) places.push_back(root / usual);
  places.push_back(cache_folder() / "data" / usual);
  return places;
}

template <class Texts>
std::string joined(const Texts& texts, std::string_view between) {
  std::string all;
  for (const auto& text : texts) {
    if (!all.empty()) all += between;
    all += text;
  }
  return all;
}

std::string hint_for(const DatasetOptions& options) {
  if (options.dataset == "shapes10") return "make it: edgelab data generate shapes10 --out DIR; or leave the path out";
  if (options.dataset == "images") return "give the folder as data.path";
  return fmt::format("fetch it: edgelab data fetch {}; or give the folder as data.path", options.dataset);
}

}  // namespace

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names = {"cifar10", "cifar100", "images", "shapes10"};
  return names;
}

// What `data generate shapes10` writes has CIFAR-10's layout.
const CifarLayout* cifar_layout_of(std::string_view dataset) {
  if (dataset == "cifar10" || dataset == "shapes10") return &cifar10_layout();
  if (dataset == "cifar100") return &cifar100_layout();
  return nullptr;
}

fs::path default_data_folder() {
  const fs::path root = environment_path("EDGELAB_DATA");
  return root.empty() ? cache_folder() / "data" : root;
}

fs::path find_dataset_folder(const DatasetOptions& options) {
  const std::vector<fs::path> places = places_of(options);
  for (const fs::path& place : places) {
    if (holds(options, place)) return place;
  }
  std::vector<std::string> looked;
  for (const fs::path& place : places) looked.push_back(place.string());
  std::string files;
  if (const CifarLayout* layout = cifar_layout_of(options.dataset)) {
    files = fmt::format(" for {}", joined(layout->files(options.split), ", "));
  }
  throw Error(ErrorKind::environment,
              fmt::format("the data set {}, split {}, was not found: looked{} in {}", options.dataset,
                          name_of(options.split), files, joined(looked, " and ")))
      .hint(hint_for(options));
}

}  // namespace edgelab::data

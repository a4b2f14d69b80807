#include "batch/job_file/weights_finder.hpp"

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace edgelab::batch {
namespace fs = std::filesystem;

WeightsFinder::WeightsFinder(ErrorList& errors) : errors_(errors) {
  const char* models = std::getenv("EDGELAB_MODELS");
  std::error_code error;
  if (models && *models) models_ = fs::absolute(models, error).lexically_normal().string();
}

std::string WeightsFinder::find(const Value& path) {
  if (const auto known = found_.find(path.absolute); known != found_.end()) return known->second;
  std::vector<std::string> places{path.absolute};
  if (!models_.empty() && fs::path(path.text).is_relative()) {
    places.push_back((fs::path(models_) / path.text).lexically_normal().string());
    const std::string by_name = (fs::path(models_) / fs::path(path.text).filename()).lexically_normal().string();
    if (by_name != places.back()) places.push_back(by_name);
  }
  for (const std::string& place : places) {
    std::error_code ignored;
    if (fs::exists(place, ignored)) return found_[path.absolute] = place;
  }
  std::string tried;
  for (const std::string& place : places) tried += (tried.empty() ? "" : ", ") + place;
  errors_.add(Error(ErrorKind::environment, "the weights \"" + path.text + "\" were not found")
                  .at(path.place.shown())
                  .got("no file at " + tried)
                  .hint(models_.empty() ? "set EDGELAB_MODELS to the folder that holds them, or write random"
                                        : "put the file there, or write random"),
              path.place);
  return path.absolute;
}

}  // namespace edgelab::batch

#include "train/progress.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json_numbers.hpp"

namespace edgelab::train {

namespace {

using Json = nlohmann::ordered_json;

// JSON has no numbers that are not finite: nlohmann writes them as null.
double number(const Json& json) { return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>(); }

// Absent where there is none: null is a number already.
void put(Json& json, const char* key, const std::optional<double>& value) {
  if (value) json[key] = *value;
}

std::optional<double> get(const Json& json, const char* key) {
  return json.contains(key) ? std::optional(number(json.at(key))) : std::nullopt;
}

Json to_json(const EpochSummary& epoch) {
  Json json = {{"epoch", epoch.epoch}, {"loss", epoch.loss}, {"learning_rate", epoch.learning_rate}};
  put(json, "top1", epoch.top1);
  json["duration_ns"] = epoch.duration_ns;
  return json;
}

EpochSummary epoch_from(const Json& json) {
  return {whole_number<std::int64_t>(json.at("epoch")), number(json.at("loss")), number(json.at("learning_rate")), get(json, "top1"),
          whole_number<std::int64_t>(json.at("duration_ns"))};
}

}  // namespace

std::string to_json(const Progress& progress) {
  Json json = {{"steps", progress.steps}, {"epoch", progress.epoch},       {"step", progress.step},
               {"seed", progress.seed},   {"loss_sum", progress.loss_sum}, {"loss_samples", progress.loss_samples}};
  put(json, "best_metric", progress.best_metric);
  json["best_steps"] = progress.best_steps;
  json["history"] = Json::array();
  for (const EpochSummary& epoch : progress.history) json["history"].push_back(to_json(epoch));
  return json.dump();
}

Progress progress_from_json(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    Progress progress;
    progress.steps = whole_number<std::int64_t>(json.at("steps"));
    progress.epoch = whole_number<std::int64_t>(json.at("epoch"));
    progress.step = whole_number<std::int64_t>(json.at("step"));
    progress.seed = whole_number<std::uint64_t>(json.at("seed"));
    progress.loss_sum = number(json.at("loss_sum"));
    progress.loss_samples = whole_number<std::int64_t>(json.at("loss_samples"));
    progress.best_metric = get(json, "best_metric");
    progress.best_steps = whole_number<std::int64_t>(json.at("best_steps"));
    for (const Json& epoch : json.at("history")) progress.history.push_back(epoch_from(epoch));
    return progress;
  } catch (const Json::exception& failure) {
    throw Error(ErrorKind::data, "a checkpoint's progress can't be read").got(failure.what());
  }
}

}  // namespace edgelab::train

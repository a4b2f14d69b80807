#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tasks/forecast.hpp"

namespace edgelab::app {

// The table of the layouts that a job's model could be split by, the chosen one marked: all on few ranks, else the best ones.
void print_layouts(const tasks::Forecast& forecast);

nlohmann::ordered_json layouts_json(const tasks::Forecast& forecast);

}  // namespace edgelab::app

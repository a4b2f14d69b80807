#pragma once

#include <string>

#include "app/batch_watch.hpp"
#include "results/text/table.hpp"

namespace edgelab::app {

// A batch at one moment as text: how far the whole is, a few lines for each running job with its figures over time, what
// waits and for what, what ended and how. No line is wider than look.width; of what doesn't fit in `rows` lines the count is
// told (running jobs first lose their details). Ends in a line feed.
std::string top_frame(const BatchMoment& moment, const results::Look& look, std::size_t rows);

}  // namespace edgelab::app

#pragma once

#include <string>
#include <vector>

#include "results/compare/comparison.hpp"

namespace edgelab::results::report {

// The runs as one HTML page that fetches nothing: style, script and pictures are in it, and its Content-Security-Policy
// forbids everything else. One run is reported; of several, each a side of one run, the page compares those after the first
// with the first, and then reports each. Each side must hold at least one run; only its first is shown. Throws
// std::invalid_argument for no sides.
std::string html_report(const std::vector<Side>& sides, const std::string& title);

}  // namespace edgelab::results::report

#pragma once

#include "results/text/table.hpp"

namespace edgelab::app {

// Columns and rows of the terminal on stdout; 100 × 40 where it is none, or doesn't say.
struct TerminalSize {
  int columns = 100, rows = 40;
  bool operator==(const TerminalSize&) const = default;
};
TerminalSize size_of_stdout();

// How text on stdout will be seen: the terminal's width, within bounds that tables look well in, and whether it shows colours
// ($NO_COLOR says no); plain, 100 columns, where it is no terminal.
results::Look look_of_stdout();

}  // namespace edgelab::app

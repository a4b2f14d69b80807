#pragma once

#include "results/text/table.hpp"

namespace edgelab::app {

// How text on stdout will be seen: the terminal's width and whether it shows colours ($NO_COLOR says no); plain, 100 columns,
// where it is no terminal.
results::Look look_of_stdout();

}  // namespace edgelab::app

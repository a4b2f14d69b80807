#pragma once

#include <span>
#include <string>

namespace edgelab::results {

// A line of block characters, ▁ for the least value to █ for the greatest, all ▄ where they are equal; a blank for a value
// that is not finite. More values than `columns` are put together, each column the mean of its own.
std::string sparkline(std::span<const double> values, std::size_t columns);

}  // namespace edgelab::results

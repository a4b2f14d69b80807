#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace edgelab::results {

// Columns that the text, UTF-8, takes on a terminal: two for a wide letter (Unicode's East Asian Width W or F: Han, kana, Hangul,
// most emoji), none for one that combines with the letter before it, one for every other.
std::size_t width_of(std::string_view text);

// Its first `columns` columns, the last of them "…" if anything was cut off. `text` holds no escape sequences.
std::string cut_to(std::string_view text, std::size_t columns);

}  // namespace edgelab::results

#pragma once

#include <string>
#include <string_view>

namespace edgelab::results {

// The text with every byte that is not part of valid UTF-8, and every NUL, replaced by U+FFFD. Reasons may carry bytes of
// any file name; JSON, HDF5's UTF-8 strings and browsers all refuse them.
std::string clean_utf8(std::string_view text);

// An id as the name of an HDF5 link: '/', '%', control characters and a leading '.' as %XX. No two ids share a name.
std::string link_name_of(std::string_view id);

}  // namespace edgelab::results

#pragma once

#include <string_view>

namespace edgelab::log {

enum class Level { debug, info, warning, error };

// Lines on stderr, each written whole. The level comes from EDGELAB_LOG (debug|info|warning|error), info if unset.
void write(Level level, std::string_view text);
inline void debug(std::string_view text) { write(Level::debug, text); }
inline void info(std::string_view text) { write(Level::info, text); }
inline void warning(std::string_view text) { write(Level::warning, text); }
inline void error(std::string_view text) { write(Level::error, text); }

}  // namespace edgelab::log

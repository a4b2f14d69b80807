#include "core/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace edgelab::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

spdlog::logger& logger() {
  // Leaked on purpose: threads may log while statics are being destroyed.
  static auto* const instance = [] {
    auto* made = new spdlog::logger("edgelab", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    const char* wanted = std::getenv("EDGELAB_LOG");
    made->set_level(wanted == nullptr ? spdlog::level::info : spdlog::level::from_str(std::string(wanted)));
    return made;
  }();
  return *instance;
}

}  // namespace

void write(Level level, std::string_view text) { logger().log(spdlog_level(level), spdlog::string_view_t(text.data(), text.size())); }

}  // namespace edgelab::log

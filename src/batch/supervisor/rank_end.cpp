#include "batch/supervisor/rank_end.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

namespace edgelab::batch {
namespace {

using nlohmann::json;

json out_of_memory_json(OutOfMemory value) {
  if (value == OutOfMemory::unknown) return nullptr;
  return value == OutOfMemory::yes;
}

OutOfMemory out_of_memory_of(const json& value) {
  if (value.is_null()) return OutOfMemory::unknown;
  return value.get<bool>() ? OutOfMemory::yes : OutOfMemory::no;
}

std::string words_of_signal(int signal) {
  switch (signal) {
    case SIGSEGV: return "segmentation fault";
    case SIGABRT: return "aborted";
    case SIGBUS: return "bus error";
    case SIGFPE: return "arithmetic error";
    case SIGILL: return "illegal instruction";
    default: return "";
  }
}

std::string memory_words(OutOfMemory value) {
  switch (value) {
    case OutOfMemory::yes: return ": out of memory";
    case OutOfMemory::unknown: return " (out of memory?)";
    case OutOfMemory::no: return "";
  }
  return "";
}

}  // namespace

std::string report_line(RankEnd end, std::string_view mark) {
  while (true) {
    const json body = {{"rank", end.rank},
                       {"host", end.host},
                       {"signal", end.signal},
                       {"code", end.code},
                       {"oom", out_of_memory_json(end.out_of_memory)},
                       {"told", end.told},
                       {"last_words", end.last_words}};
    // replace: what a rank printed need not be UTF-8.
    std::string line = fmt::format("{} {} {}", kReportWord, mark, body.dump(-1, ' ', false, json::error_handler_t::replace));
    if (line.size() < kMostReportBytes || end.last_words.empty()) return line;
    end.last_words.erase(end.last_words.begin());
  }
}

std::optional<RankEnd> read_report(std::string_view text) {
  const json body = json::parse(text, nullptr, false);
  if (body.is_discarded()) return std::nullopt;
  try {
    RankEnd end;
    end.rank = body.at("rank");
    end.host = body.at("host");
    end.signal = body.at("signal");
    end.code = body.at("code");
    end.out_of_memory = out_of_memory_of(body.at("oom"));
    end.told = body.at("told");
    end.last_words = body.at("last_words");
    return end;
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

std::string signal_name(int signal) {
  const char* abbreviation = sigabbrev_np(signal);
  const std::string name = abbreviation == nullptr ? fmt::format("signal {}", signal) : fmt::format("SIG{}", abbreviation);
  const std::string words = words_of_signal(signal);
  return words.empty() ? name : fmt::format("{} ({})", name, words);
}

std::string text_of(const RankEnd& end) { return fmt::format("rank {} on {} {}", end.rank, end.host, how_it_ended(end)); }

std::string how_it_ended(const RankEnd& end) {
  if (end.signal == 0) return fmt::format("ended with exit code {}", end.code);
  return fmt::format("was killed by {}{}", signal_name(end.signal), end.signal == SIGKILL ? memory_words(end.out_of_memory) : "");
}

std::string last_words_of(const RankEnd& end) {
  std::string text;
  for (const std::string& line : end.last_words) text += (text.empty() ? "; its last words: " : " | ") + line;
  return text;
}

}  // namespace edgelab::batch

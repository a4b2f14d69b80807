#include "results/journal_line.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

#include "core/hash.hpp"

namespace edgelab::results {
namespace {

constexpr std::string_view kBeforeSum = "{\"sha256\":\"";
constexpr std::string_view kBeforeType = "\"type\":\"";
constexpr std::string_view kBeforeSynced = ",\"synced\":";
constexpr std::string_view kBeforeBody = ",\"body\":";
constexpr std::size_t kSumLength = 64;
constexpr const char* kLost = "lost";

bool take(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string journal_line(std::string_view type, std::string_view body, std::optional<std::uint64_t> synced) {
  std::string checked = std::string(kBeforeType) + std::string(type) + "\"";
  if (synced) checked += std::string(kBeforeSynced) + std::to_string(*synced);
  checked += std::string(kBeforeBody) + std::string(body) + "}";
  return std::string(kBeforeSum) + sha256_of_text(checked) + "\"," + checked + "\n";
}

std::optional<JournalLine> parse_journal_line(std::string_view line) {
  if (!take(line, kBeforeSum) || line.size() < kSumLength) return std::nullopt;
  const std::string_view sum = line.substr(0, kSumLength);
  line.remove_prefix(kSumLength);
  if (!take(line, "\",") || sha256_of_text(line) != sum || !take(line, kBeforeType)) return std::nullopt;
  const std::size_t type_end = line.find('"');
  if (type_end == std::string_view::npos || !line.ends_with('}')) return std::nullopt;
  JournalLine parsed;
  parsed.fact.type = line.substr(0, type_end);
  line.remove_prefix(type_end + 1);
  if (take(line, kBeforeSynced) && !take_number(line, parsed.synced.emplace())) return std::nullopt;
  if (!take(line, kBeforeBody)) return std::nullopt;
  line.remove_suffix(1);
  parsed.fact.body = line;
  return parsed;
}

std::string body_of(const LostStretch& stretch) {
  return nlohmann::ordered_json{{"begin", stretch.begin}, {"end", stretch.end}}.dump();
}

std::optional<LostStretch> lost_stretch_of(const Fact& fact) {
  if (fact.type != kLost) return std::nullopt;
  const nlohmann::json body = nlohmann::json::parse(fact.body, nullptr, false);
  if (!body.is_object() || !body.contains("begin") || !body.contains("end")) return std::nullopt;
  if (!body["begin"].is_number_unsigned() || !body["end"].is_number_unsigned()) return std::nullopt;
  return LostStretch{body["begin"], body["end"]};
}

}  // namespace edgelab::results

#include "data/archives.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>

#include "core/error.hpp"
#include "core/file.hpp"

namespace edgelab::data {
namespace {

constexpr std::uint64_t kMaxConfigBytes = 1u << 20;

SourcePlace place_of(const std::string& file, const YAML::Mark& mark) { return {file, mark.line + 1, mark.column + 1}; }

std::string text_of(const YAML::Node& value, const std::string& key, const std::string& file) {
  if (value.IsScalar()) return value.Scalar();
  throw Error(ErrorKind::usage, fmt::format("'{}' must be a text", key)).at(place_of(file, value.Mark()));
}

std::string checksum_of(const YAML::Node& value, const std::string& key, std::size_t digits, const std::string& file) {
  std::string text = text_of(value, key, file);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos) return text;
  throw Error(ErrorKind::usage, fmt::format("this is not a checksum of kind {}", key))
      .at(place_of(file, value.Mark()))
      .got(fmt::format("'{}'", text))
      .expected(fmt::format("{} hexadecimal digits", digits));
}

ArchiveEntry parse_entry(const std::string& dataset, const YAML::Node& node, const std::string& file) {
  if (!node.IsMap())
    throw Error(ErrorKind::usage, fmt::format("'{}' must be a map", dataset)).at(place_of(file, node.Mark()));
  ArchiveEntry entry{dataset, "", "", ""};
  for (const auto& pair : node) {
    const std::string key = text_of(pair.first, "the key", file);
    if (key == "url") {
      entry.url = text_of(pair.second, key, file);
    } else if (key == "md5") {
      entry.md5 = checksum_of(pair.second, key, 32, file);
    } else if (key == "sha256") {
      entry.sha256 = checksum_of(pair.second, key, 64, file);
    } else {
      const std::string nearest = nearest_name(key, {"url", "md5", "sha256"});
      throw Error(ErrorKind::usage, fmt::format("unknown key '{}'", key))
          .at(place_of(file, pair.first.Mark()))
          .expected("url, md5 or sha256")
          .hint(nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest));
    }
  }
  if (!entry.url.starts_with("https://") && !entry.url.starts_with("http://")) {
    throw Error(ErrorKind::usage, fmt::format("'{}' needs a url", dataset))
        .at(place_of(file, node.Mark()))
        .got(fmt::format("'{}'", entry.url))
        .expected("one that starts with https:// or http://");
  }
  if (entry.md5.empty() && entry.sha256.empty()) {
    throw Error(ErrorKind::usage, fmt::format("'{}' has no checksum", dataset))
        .at(place_of(file, node.Mark()))
        .expected("md5 or sha256");
  }
  return entry;
}

}  // namespace

std::vector<ArchiveEntry> parse_archives(const std::string& yaml, const std::string& file_name) {
  try {
    const YAML::Node root = YAML::Load(yaml);
    if (!root.IsMap() || !root["datasets"] || !root["datasets"].IsMap() || root.size() != 1) {
      throw Error(ErrorKind::usage, "the file must hold the key 'datasets' alone, a map").at({file_name});
    }
    std::vector<ArchiveEntry> entries;
    for (const auto& pair : root["datasets"]) {
      entries.push_back(parse_entry(text_of(pair.first, "the key", file_name), pair.second, file_name));
    }
    return entries;
  } catch (const YAML::Exception& failure) {
    throw Error(ErrorKind::usage, fmt::format("this is not YAML: {}", failure.msg))
        .at(place_of(file_name, failure.mark));
  }
}

ArchiveEntry archive_of(const std::string& dataset, const std::filesystem::path& config) {
  std::string text = kBuiltInArchives, name = "configs/datasets.yaml";
  if (!config.empty()) {
    const std::vector<std::uint8_t> bytes = read_file(config, kMaxConfigBytes);
    text.assign(bytes.begin(), bytes.end());
    name = config.string();
  }
  std::string known;
  for (const ArchiveEntry& entry : parse_archives(text, name)) {
    if (entry.dataset == dataset) return entry;
    known += known.empty() ? entry.dataset : ", " + entry.dataset;
  }
  throw Error(ErrorKind::usage, "there is no archive of this data set")
      .at({name})
      .got(fmt::format("'{}'", dataset))
      .expected(known.empty() ? "an entry" : known);
}

}  // namespace edgelab::data

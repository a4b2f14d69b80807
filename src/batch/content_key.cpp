#include "batch/content_key.hpp"

#include "core/hash.hpp"

namespace edgelab::batch {
namespace {

void append(std::string& text, const std::string& part) {
  text += std::to_string(part.size());
  text += ':';
  text += part;
}

}  // namespace

std::string content_key(const ContentParts& parts) {
  std::string text;
  append(text, parts.resolved);
  append(text, std::to_string(parts.inputs.size()));
  for (const auto& [file, hash] : parts.inputs) {
    append(text, file);
    append(text, hash);
  }
  append(text, parts.binary);
  for (const std::string& key : parts.needs) append(text, key);
  return sha256_of_text(text);
}

std::string binary_hash() { return sha256_of_file("/proc/self/exe"); }

}  // namespace edgelab::batch

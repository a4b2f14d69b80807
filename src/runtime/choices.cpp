#include "runtime/choices.hpp"

#include <fmt/format.h>

#include <span>

#include "core/build_info.hpp"
#include "core/cache_folder.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"
#include "core/machine.hpp"

namespace edgelab::runtime {
namespace {

constexpr std::uint64_t kLargestFile = 16 << 20;

// Keys and names are ours and hold neither tabs nor line ends.
std::string line_of(const std::string& key, const Choices::Choice& choice) { return key + '\t' + choice.name + '\t' + choice.times + '\n'; }

// Calls take(key, choice) for every whole line.
template <class Take> void for_each_line(const std::string& text, const Take& take) {
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
    const std::string line = text.substr(begin, end - begin);
    const std::size_t first = line.find('\t'), second = line.find('\t', first == std::string::npos ? first : first + 1);
    if (second == std::string::npos) continue;
    take(line.substr(0, first), Choices::Choice{line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
}

std::filesystem::path file_of_this_machine() {
  std::string kind = this_machine().cpu_model;
  for (const std::string& feature : this_machine().features) kind += ' ' + feature;
  // Another build may have other kernels, so its times are its own.
  kind += std::string(build_info::version()) + std::string(build_info::git_commit()) + std::string(build_info::compiler()) + std::string(build_info::flags());
  return cache_folder() / "choices" / (sha256_of_text(kind).substr(0, 16) + ".tsv");
}

}  // namespace

Choices::Choices(std::filesystem::path file) : file_(std::move(file)) {
  std::error_code absent;
  if (!std::filesystem::exists(file_, absent)) return;
  try {
    const auto bytes = read_file(file_, kLargestFile);
    add(std::string(bytes.begin(), bytes.end()));
  } catch (const Error& error) {
    log::warning(fmt::format("the choices of earlier runs are not used: {}", error.what()));
  }
}

Choices& Choices::of_this_machine() {
  static Choices choices(file_of_this_machine());
  return choices;
}

std::optional<Choices::Choice> Choices::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = choices_.find(key);
  return found == choices_.end() ? std::nullopt : std::optional(found->second);
}

void Choices::keep(const std::string& key, const Choice& choice) {
  const std::lock_guard lock(mutex_);
  if (!choices_.try_emplace(key, choice).second || file_.empty()) return;
  append(line_of(key, choice));
}

// One write a line, at the end of the file: two processes may do it at once. Not synced: what a power cut takes is measured
// again.
void Choices::append(const std::string& line) noexcept {
  try {
    make_folders(file_.parent_path());
    OutputFile(file_, OutputFile::Mode::append).write(std::as_bytes(std::span(line)));
  } catch (const std::exception& error) {
    log::warning(fmt::format("measured choices are not kept for later runs: {}", error.what()));
    file_.clear();
  }
}

std::string Choices::text() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const auto& [key, choice] : choices_) text += line_of(key, choice);
  return text;
}

void Choices::add(const std::string& text) {
  const std::lock_guard lock(mutex_);
  for_each_line(text, [this](const std::string& key, const Choice& choice) { choices_.try_emplace(key, choice); });
}

}  // namespace edgelab::runtime

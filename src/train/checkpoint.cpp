#include "train/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/log.hpp"

namespace edgelab::train {

namespace {

namespace fs = std::filesystem;
using models::NamedTensor;

constexpr const char* kProgress = "edgelab.progress";
constexpr const char* kConfig = "edgelab.config";
constexpr const char* kHash = "edgelab.sha256";

struct Part {
  std::string_view prefix;
  std::vector<NamedTensor> Checkpoint::*tensors;
};
constexpr Part kParts[] = {{"model.", &Checkpoint::model}, {"optimizer.", &Checkpoint::optimizer}, {"average.", &Checkpoint::average}};

// Over names, types, shapes and bytes of all tensors, by name, and the metadata beside the hash itself.
std::string hash_of(std::vector<NamedTensor> tensors, const std::string& progress, const std::string& config) {
  std::ranges::sort(tensors, {}, &NamedTensor::name);
  std::string text = progress + "\n" + config + "\n";
  for (const auto& [name, tensor] : tensors) {
    text += fmt::format("{} {} {} {}\n", name, name_of(tensor.dtype()), tensor.shape().text(),
                        sha256_of({tensor.data(), tensor.bytes()}));
  }
  return sha256_of_text(text);
}

const std::string& metadata_of(const models::Safetensors& file, const char* key) {
  const auto found = file.metadata().find(key);
  if (found != file.metadata().end()) return found->second;
  throw Error(ErrorKind::data, "this is not a checkpoint of edgelab").at({file.path().string()}).got(fmt::format("no \"{}\"", key));
}

struct Contents {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata;
};

Contents contents_of(const Checkpoint& checkpoint, const std::string& config) {
  std::vector<NamedTensor> tensors;
  for (const Part& part : kParts) {
    for (const NamedTensor& each : checkpoint.*part.tensors) tensors.push_back({std::string(part.prefix) + each.name, each.tensor});
  }
  const std::string progress = to_json(checkpoint.progress), hash = hash_of(tensors, progress, config);
  return {std::move(tensors), {{kProgress, progress}, {kConfig, config}, {kHash, hash}}};
}

Checkpoint checkpoint_in(const models::Safetensors& file, const std::string& config) {
  const std::string place = file.path().string();
  const std::string &progress = metadata_of(file, kProgress), &its_config = metadata_of(file, kConfig);
  const std::string& expected = metadata_of(file, kHash);
  const std::string got = hash_of(file.tensors(), progress, its_config);
  if (got != expected)
    throw Error(ErrorKind::data, "the checkpoint is damaged: its SHA-256 is another").at({place}).got(got).expected(expected);
  if (its_config != config) {
    throw Error(ErrorKind::usage, "the checkpoint belongs to another configuration of the job")
        .at({place}).got(its_config).expected(config)
        .hint("put the job back as it was, or start it afresh without --resume");
  }
  Checkpoint checkpoint{progress_from_json(progress), {}, {}, {}};
  for (const NamedTensor& each : file.tensors()) {
    const auto* part = std::ranges::find_if(kParts, [&](const Part& one) { return each.name.starts_with(one.prefix); });
    if (part == std::end(kParts))
      throw Error(ErrorKind::data, "a checkpoint has a tensor of no part of it").at({place}).got(each.name);
    (checkpoint.*part->tensors).push_back({each.name.substr(part->prefix.size()), each.tensor});
  }
  return checkpoint;
}

constexpr std::string_view kStart = "step-", kEnd = ".safetensors";

// 12 of "step-000000000012.safetensors".
std::optional<std::int64_t> steps_in(std::string_view name) {
  if (!name.starts_with(kStart) || !name.ends_with(kEnd)) return {};
  name.remove_prefix(kStart.size());
  name.remove_suffix(kEnd.size());
  std::int64_t steps = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), steps);
  return error == std::errc() && end == name.data() + name.size() && steps >= 0 ? std::optional(steps) : std::nullopt;
}

// None if there is no such folder.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, failure)) names.push_back(entry.path().filename().string());
  if (failure && failure != std::errc::no_such_file_or_directory)
    throw file_error("the folder of checkpoints can't be read", folder, failure.value());
  return names;
}

}  // namespace

void write_checkpoint(const fs::path& path, const Checkpoint& checkpoint, const std::string& config) {
  const Contents contents = contents_of(checkpoint, config);
  models::write_safetensors(path, contents.tensors, contents.metadata);
}

Checkpoint read_checkpoint(const fs::path& path, const std::string& config) { return checkpoint_in(models::Safetensors::open(path), config); }

std::vector<std::uint8_t> checkpoint_bytes(const Checkpoint& checkpoint, const std::string& config) {
  const Contents contents = contents_of(checkpoint, config);
  return models::safetensors_bytes(contents.tensors, contents.metadata);
}

Checkpoint checkpoint_of_bytes(std::vector<std::uint8_t> file, const std::string& place, const std::string& config) {
  const auto owner = std::make_shared<std::vector<std::uint8_t>>(std::move(file));
  return checkpoint_in(models::Safetensors::of_bytes(std::as_writable_bytes(std::span(*owner)), owner, place), config);
}

CheckpointFolder::CheckpointFolder(fs::path folder, int keep, std::string config)
    : folder_(std::move(folder)), keep_(keep), config_(std::move(config)) {
  if (keep_ < 1) throw Error(ErrorKind::usage, "too few checkpoints would be kept").got(std::to_string(keep_)).expected("at least 1");
}

fs::path CheckpointFolder::path_of(std::int64_t steps) const { return folder_ / fmt::format("{}{:012}{}", kStart, steps, kEnd); }

std::vector<std::int64_t> CheckpointFolder::steps_saved() const {
  std::vector<std::int64_t> saved;
  for (const std::string& name : names_in(folder_)) {
    if (const auto steps = steps_in(name)) saved.push_back(*steps);
  }
  std::ranges::sort(saved);
  return saved;
}

void CheckpointFolder::remove_unfinished() const {
  constexpr std::string_view kUnfinished = ".part";
  for (const std::string& name : names_in(folder_)) {
    const bool unfinished = name.ends_with(kUnfinished) && steps_in(name.substr(0, name.size() - kUnfinished.size()));
    if (unfinished) remove_file(folder_ / name);
  }
}

void CheckpointFolder::save(const Checkpoint& checkpoint) const {
  make_folders(folder_);
  write_checkpoint(path_of(checkpoint.progress.steps), checkpoint, config_);
  remove_unfinished();
  const std::vector<std::int64_t> saved = steps_saved();
  const auto newest = std::ranges::find(saved, checkpoint.progress.steps);
  const auto first_kept = newest - std::min<std::ptrdiff_t>(newest - saved.begin(), keep_ - 1);
  for (auto each = saved.begin(); each != saved.end(); ++each) {
    const bool kept = (each >= first_kept && each <= newest) || *each == checkpoint.progress.best_steps;
    if (!kept) remove_file(path_of(*each));
  }
}

std::optional<Checkpoint> CheckpointFolder::latest() const {
  std::vector<std::int64_t> saved = steps_saved();
  for (; !saved.empty(); saved.pop_back()) {
    try {
      return at(saved.back());
    } catch (const Error& failure) {
      if (failure.kind() != ErrorKind::data) throw;
      log::warning(fmt::format("a checkpoint is passed over: {}", failure.what()));
    }
  }
  return std::nullopt;
}

Checkpoint CheckpointFolder::at(std::int64_t steps) const { return read_checkpoint(path_of(steps), config_); }

void CheckpointFolder::clear() const {
  for (const std::int64_t steps : steps_saved()) remove_file(path_of(steps));
  remove_unfinished();
  if (fs::exists(folder_)) sync_folder(folder_);
}

}  // namespace edgelab::train

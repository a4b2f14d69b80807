#include "data/generate.hpp"

#include <fmt/format.h>

#include <array>
#include <span>
#include <string>
#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "data/cifar.hpp"
#include "data/shapes10.hpp"

namespace edgelab::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSamples = 1'000'000;  // 3 GB

void check_count(const char* split, std::int64_t count, std::int64_t least) {
  if (count >= least && count <= kMaxSamples) return;
  throw Error(ErrorKind::usage, fmt::format("the number of {} samples is out of range", split))
      .got(std::to_string(count))
      .expected(fmt::format("{} to {}", least, kMaxSamples));
}

void write_file(const fs::path& path, Split split, std::uint64_t seed, std::int64_t begin, std::int64_t end) {
  OutputFile file(path, OutputFile::Mode::create_new);
  std::array<std::uint8_t, 1 + kShapesBytes> record{};
  for (std::int64_t i = begin; i < end; ++i) {
    record[0] = static_cast<std::uint8_t>(shapes10_label(seed, split, i));
    draw_shape(seed, split, i, std::span(record).subspan<1>());
    file.write(std::as_bytes(std::span(record)));
  }
  file.sync();
}

void write_split(const fs::path& folder, Split split, std::uint64_t seed, std::int64_t count) {
  const auto& names = cifar10_layout().files(split);
  const auto files = static_cast<std::int64_t>(names.size());
  for (std::int64_t i = 0; i < files; ++i) {
    write_file(folder / names[static_cast<std::size_t>(i)], split, seed, count * i / files, count * (i + 1) / files);
  }
}

void write_names(const fs::path& folder) {
  std::string text;
  for (const std::string& name : shapes10_names()) text += name + "\n";
  OutputFile file(folder / cifar10_layout().names_file, OutputFile::Mode::create_new);
  file.write(std::as_bytes(std::span(text)));
  file.sync();
}

}  // namespace

void generate_shapes10(const fs::path& wanted, const GenerateOptions& options) {
  // One file each must get a sample: an empty one is no CIFAR file.
  check_count("train", options.train, static_cast<std::int64_t>(cifar10_layout().train_files.size()));
  check_count("test", options.test, 1);
  fs::path folder = fs::absolute(wanted).lexically_normal();
  if (folder.filename().empty()) folder = folder.parent_path();  // "DIR/"
  std::error_code failure;
  if (fs::exists(folder, failure) && !fs::is_empty(folder, failure)) {
    throw Error(ErrorKind::environment, "the folder is not empty")
        .at({folder.string()})
        .hint("remove it, or give another --out");
  }
  make_folders(folder.parent_path());
  const fs::path part = folder.parent_path() / fmt::format(".{}.part", folder.filename().string());
  remove_whole(part);  // a killed run's
  make_folders(part);
  write_split(part, Split::train, options.seed, options.train);
  write_split(part, Split::test, options.seed, options.test);
  write_names(part);
  sync_folder(part);
  rename_and_sync(part, folder);
}

}  // namespace edgelab::data

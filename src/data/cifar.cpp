#include "data/cifar.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"

namespace edgelab::data {
namespace {

// Ten times the official archive's largest file (CIFAR-100's train.bin, 154 MB).
constexpr std::uint64_t kMaxFileBytes = 1600u << 20;
constexpr std::size_t kMaxNameBytes = 1u << 16;

struct CifarFiles {
  const CifarLayout* layout = nullptr;
  std::vector<FileBytes> files;
  std::vector<std::int64_t> firsts;  // of each file, the index of its first record in the split
};

void check_size(const CifarLayout& layout, const FileBytes& file) {
  if (!file.bytes.empty() && file.bytes.size() % layout.record_bytes() == 0) return;
  const std::size_t whole = file.bytes.size() / layout.record_bytes();
  const std::string what =
      file.bytes.empty() ? "the file is empty" : fmt::format("the file is cut inside record {}", whole);
  throw Error(ErrorKind::data, what)
      .at({file.path.string()})
      .got(fmt::format("{} bytes", file.bytes.size()))
      .expected(fmt::format("a multiple of {} bytes, and at least one record", layout.record_bytes()))
      .hint(fmt::format("fetch it again: edgelab data fetch {}", layout.dataset));
}

void append_labels(const CifarLayout& layout, const FileBytes& file, std::vector<std::int32_t>& labels) {
  const std::size_t record = layout.record_bytes();
  for (std::size_t i = 0; i < file.bytes.size() / record; ++i) {
    const std::uint8_t label = file.bytes[i * record + layout.label_bytes - 1];
    if (label >= layout.classes) {
      throw Error(ErrorKind::data, fmt::format("a label is out of range in record {}", i))
          .at({file.path.string()})
          .got(std::to_string(label))
          .expected(fmt::format("0 to {}", layout.classes - 1))
          .hint(fmt::format("is this a file of {}?", layout.dataset));
    }
    labels.push_back(label);
  }
}

// The names file is the archive's, but may be missing: the classes are then called by their numbers.
std::vector<std::string> class_names(const CifarLayout& layout, const std::optional<FileBytes>& file) {
  std::vector<std::string> names;
  if (!file) {
    for (int i = 0; i < layout.classes; ++i) names.push_back(std::to_string(i));
    return names;
  }
  std::string name;
  const auto end_name = [&] {
    if (!name.empty()) names.push_back(std::exchange(name, {}));
  };
  for (const std::uint8_t byte : file->bytes) {
    if (byte == '\n') {
      end_name();
    } else if (byte != '\r') {
      name += static_cast<char>(byte);
    }
  }
  end_name();
  if (names.size() != static_cast<std::size_t>(layout.classes)) {
    throw Error(ErrorKind::data, "the list of class names has the wrong length")
        .at({file->path.string()})
        .got(fmt::format("{} names", names.size()))
        .expected(fmt::format("{}, one a line", layout.classes));
  }
  return names;
}

Image image_of(const std::shared_ptr<const CifarFiles>& files, std::int64_t index) {
  std::size_t number = files->files.size() - 1;
  while (number > 0 && files->firsts[number] > index) --number;
  const FileBytes& file = files->files[number];
  const CifarLayout& layout = *files->layout;
  const std::size_t offset = static_cast<std::size_t>(index - files->firsts[number]) * layout.record_bytes() + layout.label_bytes;
  return {CifarLayout::kSide, CifarLayout::kSide, std::span(file.bytes).subspan(offset, CifarLayout::kPixelBytes),
          files};
}

std::string hash_of(const CifarFiles& files) {
  std::string text(files.layout->dataset);
  for (const FileBytes& file : files.files) {
    text += fmt::format("\n{} {}", file.path.filename().string(), sha256_of(std::as_bytes(std::span(file.bytes))));
  }
  return sha256_of_text(text);
}

}  // namespace

const CifarLayout& cifar10_layout() {
  static const CifarLayout layout{
      "cifar10",
      "cifar-10-batches-bin",
      "batches.meta.txt",
      1,
      10,
      {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
      {"test_batch.bin"}};
  return layout;
}

const CifarLayout& cifar100_layout() {
  static const CifarLayout layout{"cifar100",    "cifar-100-binary", "fine_label_names.txt", 2, 100,
                                  {"train.bin"}, {"test.bin"}};
  return layout;
}

bool has_cifar_files(const CifarLayout& layout, const std::filesystem::path& folder, Split split) {
  std::error_code ignored;
  for (const std::string_view name : layout.files(split)) {
    if (!std::filesystem::is_regular_file(folder / name, ignored)) return false;
  }
  return true;
}

Source cifar_source(const CifarLayout& layout, std::vector<FileBytes> files, const std::optional<FileBytes>& names) {
  auto held = std::make_shared<CifarFiles>();
  held->layout = &layout;
  Source source;
  for (const FileBytes& file : files) {
    check_size(layout, file);
    held->firsts.push_back(static_cast<std::int64_t>(source.labels.size()));
    append_labels(layout, file, source.labels);
  }
  held->files = std::move(files);
  source.class_names = class_names(layout, names);
  const std::shared_ptr<const CifarFiles> kept = std::move(held);
  source.image = [kept](std::int64_t index) { return image_of(kept, index); };
  source.hash = [kept](std::span<const std::int64_t>) { return hash_of(*kept); };
  return source;
}

Source open_cifar(const CifarLayout& layout, const std::filesystem::path& folder, Split split) {
  std::vector<FileBytes> files;
  for (const std::string_view name : layout.files(split)) {
    files.push_back({folder / name, read_file(folder / name, kMaxFileBytes)});
  }
  const std::filesystem::path names_path = folder / layout.names_file;
  std::optional<FileBytes> names;
  if (std::error_code ignored; std::filesystem::exists(names_path, ignored)) {
    names = FileBytes{names_path, read_file(names_path, kMaxNameBytes)};
  }
  Source source = cifar_source(layout, std::move(files), names);
  source.place = folder.string();
  return source;
}

}  // namespace edgelab::data

#include "data/image_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "data/image_file.hpp"

namespace edgelab::data {
namespace {

namespace fs = std::filesystem;

struct ImageFiles {
  fs::path root;
  std::vector<fs::path> files;  // relative to root
};

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool is_image(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char letter) {
    return letter < 128 ? static_cast<char>(std::tolower(letter)) : static_cast<char>(letter);
  });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

Error unreadable(const fs::path& folder, const std::error_code& failure) {
  return Error(ErrorKind::environment, fmt::format("the folder can't be read: {}", failure.message()))
      .at({folder.string()});
}

std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end; entry.increment(failure)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && !hidden(entry->path())) found.push_back(entry->path());
  }
  if (failure) throw unreadable(folder, failure);
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<fs::path> images_below(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    std::error_code ignored;
    if (hidden(entry->path())) {
      entry.disable_recursion_pending();
    } else if (is_image(entry->path()) && entry->is_regular_file(ignored)) {
      found.push_back(entry->path());
    }
  }
  if (failure) throw unreadable(folder, failure);
  std::sort(found.begin(), found.end());
  return found;
}

fs::path split_folder(const fs::path& folder, Split split) {
  std::error_code ignored;
  const fs::path wanted = folder / name_of(split);
  if (fs::is_directory(wanted, ignored)) return wanted;
  const fs::path other = folder / name_of(split == Split::train ? Split::test : Split::train);
  if (!fs::is_directory(other, ignored)) return folder;
  throw Error(ErrorKind::environment, fmt::format("the data set has no split '{}'", name_of(split)))
      .at({folder.string()})
      .got(fmt::format("'{}' alone", other.filename().string()))
      .hint(fmt::format("make {}/<class>/, or ask for the other split", wanted.string()));
}

std::string hash_of(const ImageFiles& images, std::span<const std::int64_t> indices) {
  std::string text = "images";
  for (const std::int64_t index : indices) {
    const fs::path& file = images.files[static_cast<std::size_t>(index)];
    text += fmt::format("\n{} {}", file.generic_string(), sha256_of_file(images.root / file));
  }
  return sha256_of_text(text);
}

}  // namespace

Source open_image_folder(const fs::path& folder, Split split) {
  auto images = std::make_shared<ImageFiles>();
  images->root = split_folder(folder, split);
  Source source;
  source.place = images->root.string();
  for (const fs::path& class_folder : folders_in(images->root)) {
    const std::vector<fs::path> files = images_below(class_folder);
    if (files.empty()) {
      throw Error(ErrorKind::data, "a class has no images")
          .at({class_folder.string()})
          .expected("*.png or *.jpg files")
          .hint("add some, or remove the folder");
    }
    for (const fs::path& file : files) {
      images->files.push_back(file.lexically_relative(images->root));
      source.labels.push_back(static_cast<std::int32_t>(source.class_names.size()));
    }
    source.class_names.push_back(class_folder.filename().string());
  }
  if (source.class_names.empty()) {
    throw Error(ErrorKind::data, "the folder has no classes")
        .at({images->root.string()})
        .expected("one folder of images a class");
  }
  const std::shared_ptr<const ImageFiles> kept = images;
  source.image = [kept](std::int64_t index) {
    return read_image_file(kept->root / kept->files[static_cast<std::size_t>(index)]);
  };
  source.hash = [kept](std::span<const std::int64_t> indices) { return hash_of(*kept, indices); };
  return source;
}

}  // namespace edgelab::data

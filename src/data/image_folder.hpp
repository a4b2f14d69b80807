#pragma once

#include <filesystem>

#include "data/options.hpp"
#include "data/source.hpp"

namespace edgelab::data {

// PNG and JPEG files (*.png, *.jpg, *.jpeg) as <folder>/<split>/<class>/… or, where neither <folder>/train nor
// <folder>/test exists, as <folder>/<class>/… for either split. Classes and files stand in byte order of their names;
// names that start with a dot are passed over. Files are decoded when asked for, so a broken one shows only then.
// Throws Error: environment for a missing folder, data for no classes or a class without images.
Source open_image_folder(const std::filesystem::path& folder, Split split);

}  // namespace edgelab::data

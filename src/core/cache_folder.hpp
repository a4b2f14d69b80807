#pragma once

#include <filesystem>

namespace edgelab {

// What edgelab may lose and make again: $EDGELAB_CACHE, else ~/.cache/edgelab. Need not exist.
std::filesystem::path cache_folder();

}  // namespace edgelab

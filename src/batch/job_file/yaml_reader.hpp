#pragma once

#include <memory>
#include <optional>
#include <string>

#include "batch/job_file/errors.hpp"
#include "batch/job_file/value.hpp"

namespace edgelab::batch {

// What one file may hold. An honest job file is far below; a hostile one (nested aliases, a gigabyte of brackets) ends
// at these before it costs memory.
inline constexpr std::size_t kMostFileBytes = 1 << 20;
inline constexpr std::size_t kMostNodes = 200'000;  // aliases counted as what they stand for
inline constexpr std::size_t kMostKeys = 1'000;     // in one map
inline constexpr std::size_t kMostDepth = 32;

// The one document of a YAML text. Reports a syntax error, a repeated key, a second document, a tag, bytes that are not
// UTF-8, and the limits above, each at its place. Gives nothing where no tree could be made.
std::optional<Value> read_yaml(const std::string& text, const std::shared_ptr<const SourceFile>& file,
                               ErrorList& errors);

}  // namespace edgelab::batch

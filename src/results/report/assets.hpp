#pragma once

namespace edgelab::results::report {

// style.css and script.js of this folder, embedded by CMake.
extern const char* const kStyle;
extern const char* const kScript;

}  // namespace edgelab::results::report

#pragma once

#include <cstdlib>
#include <string>

// The interpreters that read results files in tests.
namespace edgelab::test {

// Debian's own, which sees Debian's packages: another one that comes first on PATH would not.
inline constexpr const char* kDebianPython = "/usr/bin/python3";

// One with packages that Debian lacks, if the environment names one.
inline std::string python_with_more() {
  const char* named = std::getenv("EDGELAB_PYTHON");
  return named == nullptr ? kDebianPython : named;
}

inline constexpr const char* kWhereMoreComesFrom =
    "`cluster/setup.sh --ci` makes one where PyPI can be reached, and EDGELAB_PYTHON names it to the tests";

}  // namespace edgelab::test

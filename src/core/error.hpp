#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace edgelab {

// Who has to act, and with it the exit code: the caller (2), the machine's owner (3), or the giver of the data (1).
enum class ErrorKind { usage, environment, data };

constexpr int exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage: return 2;
    case ErrorKind::environment: return 3;
    case ErrorKind::data: return 1;
  }
  return 1;
}

// Line and column count from 1; 0 means that there is none.
struct SourcePlace {
  std::string file;
  int line = 0;
  int column = 0;
  std::string text() const;  // "FILE:LINE:COLUMN"
  bool operator==(const SourcePlace&) const = default;
};

// The one exception of edgelab. what() reads
//   FILE:LINE:COLUMN: error: WHAT (got GOT, expected EXPECTED); HINT
// and every part but WHAT is optional. Built by chaining:
//   throw Error(ErrorKind::data, "the file is cut short").at({path}).got("3,000 bytes").expected("a multiple of 3,073");
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string what);

  Error&& at(SourcePlace place) &&;
  Error&& got(std::string text) &&;
  Error&& expected(std::string text) &&;
  Error&& hint(std::string text) &&;  // what to do

  ErrorKind kind() const { return kind_; }
  const SourcePlace& place() const { return place_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  void compose();

  ErrorKind kind_;
  std::string what_, got_, expected_, hint_;
  SourcePlace place_;
  std::string message_;
};

// The candidate nearest to `name` by edit distance, or "" if none is near enough to be a slip of the hand.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace edgelab

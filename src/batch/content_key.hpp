#pragma once

#include <string>
#include <utility>
#include <vector>

namespace edgelab::batch {

// What makes two jobs the same job, for --resume.
struct ContentParts {
  std::string resolved;                                     // JobSpec::resolved
  std::vector<std::pair<std::string, std::string>> inputs;  // file, SHA-256
  std::string binary;                                       // binary_hash()
  std::vector<std::string> needs;  // keys of the jobs it needs: what it is compared with, or takes weights from, is input too
};

// SHA-256 over the parts, each with its length before it, so that no two lists of parts run into the same bytes.
std::string content_key(const ContentParts& parts);

// SHA-256 of the program file that runs: stricter than a version number, which a rebuild after an edit keeps.
std::string binary_hash();

}  // namespace edgelab::batch
